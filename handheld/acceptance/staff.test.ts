import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openFleet, untilInStep, verdictOn } from '../../sync/fleet/fleet.suite.ts';
import { writeQrVideo } from '../pwa/scan/qr-video.suite.ts';
import { describeInChromium } from '../pwa/scan/scan-browser.suite.ts';
import {
	buildPage,
	installProblems,
	joinAndSignIn,
	openPhone,
	present,
	untilSynced,
	verdictOf,
} from './phone.suite.ts';

const staff = { name: 'li.na', pin: '482913' };

/** Visitors whose verdict is timed. */
const crowdSize = 30;

/** A code of a good print, at arm's length. */
const look = { modulePx: 8, degrees: 4, blurPx: 1, noise: 4 };

describeInChromium('a handheld in a browser', () => {
	test('admits with the camera, without the network, over a reload, and agrees with the gate in the end', async () => {
		await buildPage();
		await using fleet = await openFleet();
		const { venue } = fleet;
		await venue.cli(['staff', 'add', '--name', staff.name, '--role', 'steward', '--pin-stdin'], staff.pin);
		const gate = await fleet.gate('gate-1');
		await gate.start();
		const tickets = await fleet.sell('adult', 4);
		const crowd = await fleet.sell('adult', crowdSize);
		const [seen, typed, offline, late] = tickets;
		if (!seen || !typed || !offline || !late) throw new Error('there are four tickets');
		const { link } = JSON.parse(await venue.done('device', 'code', '--name', 'phone-1', '--handheld', '--json'));
		await using phone = await openPhone(venue);

		const page = await phone.start({ video: await videoOf(seen.text) });
		await joinAndSignIn(page, { link: String(link), phone: 'Phone 1', ...staff });
		expect(page.url()).not.toContain('enroll');
		const admitted = await verdictOf(page, 'go');
		expect(admitted.words).toMatch(/adult/i);
		// The code stays in view, and comes again once it was out of it for a while.
		const again = await verdictOf(page, 'stop');
		expect(again.words).toMatch(/already used/i);
		expect(again.words).toMatch(/phone-1/i);
		await untilSynced(page);
		await untilInStep(gate);
		expect(await verdictOn(gate, seen)).toMatchObject({ event: 'denied', reason: 'already_redeemed' });

		const second = await phone.start();
		await second.goto(`${venue.url}/handheld/`);
		await second.waitForSelector('.ready');
		await untilSynced(second);
		await second.waitForFunction(() => navigator.serviceWorker.controller !== null);
		expect(await installProblems(second)).toEqual([]);
		expect(await present(second, typed.text)).toMatchObject({ tone: 'go' });
		const tookMs: number[] = [];
		for (const { text } of crowd) {
			const verdict = await present(second, text);
			expect(verdict).toMatchObject({ tone: 'go' });
			tookMs.push(verdict.tookMs);
		}
		report('text to verdict on the screen, with the claim', tookMs);

		await phone.setOffline(true);
		await second.waitForSelector('.link[data-state="offline"]', { timeout: 60_000 });
		expect(await present(second, offline.text)).toMatchObject({ tone: 'go' });
		await second.reload();
		await second.waitForSelector('.ready');
		expect(await second.locator('.status .staff').textContent()).toContain(staff.name);
		for (const { text } of [seen, typed, offline]) {
			expect(await present(second, text)).toMatchObject({
				tone: 'stop',
				words: expect.stringMatching(/already used/i),
			});
		}
		expect(await present(second, late.text)).toMatchObject({ tone: 'go' });

		await phone.setOffline(false);
		await untilSynced(second);
		await untilInStep(gate);
		const before = gate.opened();
		for (const ticket of tickets) {
			const { event, reason } = await verdictOn(gate, ticket);
			// While staff may still undo the newest one, it is on its way in.
			expect([event, ticket === late ? 'already_redeemed' : reason]).toEqual(['denied', 'already_redeemed']);
		}
		expect(gate.opened()).toBe(before);
		expect(await fleet.cases()).toEqual([]);
		expect(phone.errors.filter((line) => !/ERR_INTERNET_DISCONNECTED/.test(line))).toEqual([]);
	}, 300_000);
});

function report(name: string, ms: readonly number[]): void {
	const sorted = ms.toSorted((a, b) => a - b);
	const of = (part: number) => (sorted[Math.floor(sorted.length * part)] ?? Number.NaN).toFixed(0);
	process.stdout.write(`${name}: p50 ${of(0.5)} ms, p99 ${of(0.99)} ms (${ms.length})\n`);
}

/** A video that shows one code for ever. */
async function videoOf(text: string): Promise<string> {
	const dir = await mkdtemp(join(tmpdir(), 'stileward-video-'));
	onTestFinished(() => rm(dir, { recursive: true, force: true }));
	const file = join(dir, 'ticket.y4m');
	const away = { ...look, text: 'nothing that anybody wants', modulePx: 0.2 };
	await writeQrVideo(file, [{ ...look, text }, ...Array.from({ length: 4 }, () => away)]);
	return file;
}
