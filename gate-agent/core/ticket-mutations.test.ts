import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { issueTicket } from './issue.ts';
import { ed25519Jwk, issuerOf, typical } from './test-issuer.suite.ts';
import { ticketFormats } from './ticket-formats.ts';

/** A million; more where a night is spent on it. */
const mutations = Number(process.env.STILEWARD_MUTATIONS ?? 1_000_000);
const timeoutMs = Math.max(120_000, mutations / 5);

test(
	'a million mutated tickets never make the decoder throw, and none is read as a compact ticket in two writings',
	async () => {
		const issuer = await issuerOf(ed25519Jwk);
		const full = { ...typical, ses: 'evening', zon: ['hall-1', 'hall-2'], use: 20, home: 'gate-3', seat: '东看台 7座' };
		const codes: string[] = [];
		// Mostly the form that is printed in QR codes.
		for (const format of ['compact', 'compact', 'compact', 'jws'] as const) {
			for (const claims of [typical, full]) codes.push(await issueTicket(claims, issuer, format));
		}
		const seed = Math.floor(Math.random() * 2 ** 32);
		const random = randomOf(seed);
		const startMs = performance.now();
		let read = 0;
		for (let i = 0; i < mutations; i++) {
			// The test runner wants to hear from its worker now and then.
			if (i % 20_000 === 0) await setImmediate();
			const code = codes[i % codes.length] ?? '';
			const mutated = mutate(code, random);
			const format = ticketFormats.find(({ looksLike }) => looksLike(mutated));
			const decoded = format?.decode(mutated);
			if (decoded && mutated !== code) {
				read++;
				// What is still read differs from the original in what is signed, or in the signature itself.
				if (decoded.jws() === format?.decode(code)?.jws()) expect.fail(`seed ${seed}: two writings of one ticket`);
			}
		}
		const seconds = (performance.now() - startMs) / 1000;
		console.log(`${mutations} mutated tickets in ${seconds.toFixed(1)} s, ${read} still readable, seed ${seed}`);
		expect(read).toBeGreaterThan(10_000);
	},
	timeoutMs,
);

/** A small seeded generator (mulberry32): the same seed gives the same mutations. */
function randomOf(seed: number): (below: number) => number {
	let state = seed;
	return (below) => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) % below;
	};
}

const characters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:abcdefghijklmnopqrstuvwxyz_=\r\n\0é🏮';

/** One to three changes: a character replaced, put in or taken out, a part doubled, cut off or moved. */
function mutate(code: string, random: (below: number) => number): string {
	let text = code;
	for (let changes = 1 + random(3); changes > 0; changes--) {
		const at = random(text.length + 1);
		const to = at + random(12);
		const character = characters.charAt(random(characters.length));
		const kind = random(12);
		if (kind < 7) text = text.slice(0, at) + characters.charAt(random(45)) + text.slice(at + 1);
		else if (kind === 7) text = text.slice(0, at) + character + text.slice(at + 1);
		else if (kind === 8) text = text.slice(0, at) + character + text.slice(at);
		else if (kind === 9) text = text.slice(0, at) + text.slice(to);
		else if (kind === 10) text = text.slice(0, to) + text.slice(at);
		else text = text.slice(0, at);
	}
	return text;
}
