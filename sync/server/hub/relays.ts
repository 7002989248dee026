import { isResponse, type RequestOf, type ResponseOf, type StaffRouteName } from '../../protocol/paths.ts';
import type { Authority } from '../http/authority.ts';
import { type Answers, claims, commonAnswers, openClaims, staffDeviceAnswers } from '../http/device-routes.ts';
import { Refusal } from '../http/refusal.ts';
import type { StaffAnswers, StaffCall } from '../http/staff-answers.ts';
import type { DeviceParts } from '../server-parts.ts';
import type { Device } from '../store.ts';
import type { Centre } from './centre.ts';
import type { HubEnrollment } from './enrollment.ts';
import type { Upstream } from './upstream.ts';

/** How long a relayed claim may take: a lane has decided by policy long before. */
const relayMs = 2_000;

/** How long a relayed enrollment may take. */
const enrollMs = 10_000;

/** How long a relayed question for a configuration may take: no lane waits for it. */
const configMs = 10_000;

/** How long a relayed call of staff may take: somebody looks at the screen. */
const staffMs = 5_000;

/** What a hub's answers need beside its parts. */
export interface RelayDeps {
	readonly parts: DeviceParts;
	readonly enrollment: HubEnrollment;
	readonly centre: Pick<Centre, 'call'>;
	readonly upstream: Pick<Upstream, 'proven' | 'asked' | 'wake'>;
}

/** The answers of a hub: its own, and what only the centre can say. */
export function hubDeviceAnswers(deps: RelayDeps, authority: Authority): Answers {
	const { parts, upstream } = deps;
	const common = commonAnswers(parts, authority);
	return {
		...common,
		...staffDeviceAnswers(relayedStaff(deps)),
		claims: (call) => decideClaims(deps, authority, call),
		openClaims: ({ device }) => listOpenClaims(deps, authority, device),
		segments: async (call) => {
			const answer = await common.segments(call);
			upstream.wake();
			return answer;
		},
		enroll: ({ input }) => enroll(deps, input),
		config: ({ input, device }) => askConfig(deps, device, input),
	};
}

async function decideClaims(
	deps: RelayDeps,
	authority: Authority,
	{ input, device }: { readonly input: RequestOf<'claims'>; readonly device: Device },
): Promise<ResponseOf<'claims'>> {
	const { parts, centre, upstream } = deps;
	const head = await parts.store.head(parts.venue);
	if (!head?.grants) {
		const { claims: asked, cursor } = input;
		const request = { device: device.device, claims: asked, ...(cursor && { cursor }) };
		return relayed(() => centre.call('claims', request, { timeoutMs: relayMs }));
	}
	assertProven(upstream, input.cursor?.epoch === head.epoch);
	return claims(parts, authority, { input, device });
}

/**
 * After its start a hub asks its centre whether it lost something. Where the centre does not answer, the devices know: each
 * shows with its claim what it has followed, and a hub that has less grants nothing.
 */
function assertProven(upstream: RelayDeps['upstream'], isWitnessed: boolean): void {
	if (upstream.proven() || (upstream.asked() && isWitnessed)) return;
	throw new Refusal('no_authority', {
		detail: 'the hub has just started, and nobody has shown yet that it lost nothing',
	});
}

async function listOpenClaims(
	{ parts, centre }: RelayDeps,
	authority: Authority,
	device: Device,
): Promise<ResponseOf<'openClaims'>> {
	const head = await parts.store.head(parts.venue);
	if (head?.grants) return openClaims(parts, authority, device);
	return relayed(() => centre.call('openClaims', { device: device.device }, { timeoutMs: relayMs }));
}

/** The centre's own words go on to the device; where it does not answer there is no authority to ask. */
async function relayed<T>(ask: () => Promise<T>): Promise<T> {
	try {
		return await ask();
	} catch (error) {
		if (error instanceof Refusal && passedOn.has(error.code)) throw error;
		throw new Refusal('no_authority');
	}
}

/** What the centre says about the device or its claims, and not about the hub. */
const passedOn: ReadonlySet<string> = new Set([
	'no_authority',
	'stale_authority',
	'device_disabled',
	'malformed',
	'overloaded',
]);

/** A hub has no office: who the staff are and what became of tickets is asked of the centre. */
function relayedStaff({ centre }: Pick<RelayDeps, 'centre'>): StaffAnswers {
	const relay =
		<Name extends StaffRouteName>(name: Name) =>
		async ({ input, device }: StaffCall<Name>): Promise<ResponseOf<Name>> => {
			const answer = await staffAnswer(() =>
				centre.call('staff', { device, call: name, request: input }, { timeoutMs: staffMs }),
			);
			if (isResponse(name, answer)) return answer;
			throw new Refusal('no_staff_here');
		};
	return {
		staffSignIn: relay('staffSignIn'),
		staffStatus: relay('staffStatus'),
		staffTicket: relay('staffTicket'),
		staffOrder: relay('staffOrder'),
		staffLanes: relay('staffLanes'),
		staffLaneOrder: relay('staffLaneOrder'),
	};
}

/** What the centre says of the person and the question goes on; else there is nobody here who knows the staff. */
async function staffAnswer<T>(ask: () => Promise<T>): Promise<T> {
	try {
		return await ask();
	} catch (error) {
		if (error instanceof Refusal && staffPassedOn.has(error.code)) throw error;
		throw new Refusal('no_staff_here');
	}
}

const staffPassedOn: ReadonlySet<string> = new Set([
	'staff_refused',
	'rate_limited',
	'not_found',
	'device_disabled',
	'malformed',
]);

/** Only the centre has configurations of gates; a gate that hears of one while it is out of reach asks again later. */
async function askConfig(
	{ centre }: Pick<RelayDeps, 'centre'>,
	{ device }: Device,
	input: RequestOf<'config'>,
): Promise<ResponseOf<'config'>> {
	try {
		return await centre.call('config', { device, ...input }, { timeoutMs: configMs });
	} catch (error) {
		if (error instanceof Refusal && error.code === 'device_disabled') throw error;
		const detail = 'the centre of this hub cannot be reached, and only it has configurations';
		throw new Refusal('overloaded', { detail, retryAfterMs: 30_000 });
	}
}

async function enroll(
	{ parts, enrollment, centre }: RelayDeps,
	input: RequestOf<'enroll'>,
): Promise<ResponseOf<'enroll'>> {
	const { venue, server, keys, fingerprint, store, nowMs, log } = parts;
	const made = await enrolled(() => centre.call('enroll', input, { timeoutMs: enrollMs }));
	await store.putDevice(venue, made);
	log.info({ event: 'device_enrolled', device: made.device, name: made.name, version: input.version });
	return {
		...{ device: made.device, venue, server, rootKey: enrollment.rootKey, caPin: fingerprint },
		...{ timeKeys: [keys.timePublicKey], nowMs: nowMs() },
	};
}

async function enrolled<T>(ask: () => Promise<T>): Promise<T> {
	try {
		return await ask();
	} catch (error) {
		if (error instanceof Refusal) throw error;
		throw new Refusal('overloaded', {
			detail: 'the centre of this hub cannot be reached, and only it knows the code',
			retryAfterMs: 30_000,
		});
	}
}
