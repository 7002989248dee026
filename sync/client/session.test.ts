import { describe, expect, test } from 'vitest';
import { onlyPublic } from '../../gate-agent/core/jwk.ts';
import { ed25519Jwk } from '../../gate-agent/core/test-issuer.suite.ts';
import { signDeviceAssertion } from '../protocol/device-assertion.ts';
import { deviceIdOf } from '../protocol/enroll.ts';
import { createSession, type Session } from './session.ts';
import { createWorld, idsOf, type World } from './test-world.suite.ts';
import { clearWeather, createFakeNetwork, type Weather } from './testing/fake-network.ts';

const device = await deviceIdOf(onlyPublic(ed25519Jwk));
const limits = { timeoutMs: 5_000 };

function sessionIn({ clock, venue, random }: World, weather: Weather = clearWeather(), server = 'centre'): Session {
	venue.devices.set(device, { key: onlyPublic(ed25519Jwk), disabled: false });
	const newId = idsOf('assertion-');
	return createSession({
		transport: createFakeNetwork({ server: venue, weather, clock, random, streams: false }),
		clock,
		server,
		sign: (challenge) => {
			const request = { device, venue: 'lantern-park', server, jti: newId(), ...challenge };
			return clock.busy(signDeviceAssertion(request, ed25519Jwk));
		},
		onTimeKeys: () => {},
	});
}

/** Lets virtual time pass until the work is done. */
async function ended<T>({ clock }: World, work: Promise<T>): Promise<T> {
	await clock.advance(60_000);
	return work;
}

describe('a session', () => {
	test('fetches one token for many calls at once', async () => {
		const world = createWorld();
		const session = sessionIn(world);
		const calls = Array.from({ length: 20 }, () => session.call('openClaims', {}, limits));
		const outcomes = await ended(world, Promise.all(calls));
		expect(outcomes.every(({ kind }) => kind === 'ok')).toBe(true);
		expect(world.venue.calls.get('token')).toBe(1);
	});

	test('renews its token while calls go on with the old one', async () => {
		const world = createWorld();
		const weather = clearWeather();
		const session = sessionIn(world, weather);
		await ended(world, session.call('openClaims', {}, limits));
		await world.clock.advance(185_000);
		weather.delayMs = [1_000, 1_000];
		const fromMs = world.clock.monoMs();
		let tookMs = Number.NaN;
		const call = session.call('openClaims', {}, limits).then((outcome) => {
			tookMs = world.clock.monoMs() - fromMs;
			return outcome;
		});
		expect((await ended(world, call)).kind).toBe('ok');
		// One round trip: nobody waited for the nonce and the token.
		expect(tookMs).toBe(2_000);
		expect(world.venue.calls.get('token')).toBe(2);
	});

	test('repeats a call once with a new token where a restarted server knows the old one no more', async () => {
		const world = createWorld();
		const session = sessionIn(world);
		await ended(world, session.call('openClaims', {}, limits));
		world.venue.forgetTokens();
		expect((await ended(world, session.call('openClaims', {}, limits))).kind).toBe('ok');
		expect(world.venue.calls.get('token')).toBe(2);
	});

	test('does not go round for ever where a server refuses every token', async () => {
		const world = createWorld();
		const session = sessionIn(world);
		const problem = { type: 'x', title: 'x', status: 401, code: 'token_invalid', hint: 'x' };
		world.venue.lies.instead.openClaims = () => ({
			status: 401,
			contentType: 'application/problem+json',
			text: JSON.stringify(problem),
		});
		const outcome = await ended(world, session.call('openClaims', {}, limits));
		expect(outcome).toEqual({ kind: 'refused', code: 'token_invalid' });
		expect(world.venue.calls.get('openClaims')).toBe(2);
	});

	test('signs nothing for another server than the enrolled one', async () => {
		const world = createWorld();
		const session = sessionIn(world, clearWeather(), 'hub');
		expect((await ended(world, session.call('openClaims', {}, limits))).kind).toBe('bad_answer');
		expect(world.venue.calls.get('token')).toBeUndefined();
	});

	test('gives every failure of the network as a value', async () => {
		for (const [link, kind] of [
			['down', 'offline'],
			['hang', 'timeout'],
			['captive', 'captive_portal'],
		] as const) {
			const world = createWorld();
			const session = sessionIn(world, { ...clearWeather(), link });
			expect((await ended(world, session.call('openClaims', {}, limits))).kind).toBe(kind);
		}
	});
});
