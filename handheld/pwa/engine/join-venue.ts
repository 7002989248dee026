import { callRoute, type Failure } from '../../../sync/client/call.ts';
import { deviceIdOf } from '../../../sync/protocol/enroll.ts';
import { type EnrollmentLink, readEnrollmentLink } from '../../../sync/protocol/enrollment-link.ts';
import type { Done, StaffProblem } from './handheld.ts';
import type { KeptDeps } from './handheld-deps.ts';
import { type Identity, laneNameOf, makeDeviceKey, saveIdentity } from './identity.ts';

const enrollTimeoutMs = 15_000;
const nameCharsMax = 64;

/** Spends an enrollment code: makes the device key, tells the server its public half, and keeps who the device is now. */
export async function joinVenue(deps: KeptDeps, text: string, name: string): Promise<Done<Identity>> {
	const link = readLink(text);
	const called = name.trim().slice(0, nameCharsMax);
	if (link === undefined || called === '') return notDone('bad_link');
	const { key, publicKey } = await makeDeviceKey(deps.crypto.subtle);
	const request = { code: link.code.trim().toUpperCase(), key: publicKey, name: called, version: deps.version };
	const outcome = await callRoute(deps, { name: 'enroll', request, timeoutMs: enrollTimeoutMs });
	if (outcome.kind !== 'ok') return notDone(problemOf(outcome, link.url !== deps.origin));
	const { device, venue, server, rootKey, timeKeys } = outcome.body;
	if (device !== (await deviceIdOf(publicKey))) return notDone('wrong_server');
	const identity: Identity = { device, venue, server, rootKey, timeKeys, name: called, lane: laneNameOf(called), key };
	await saveIdentity(deps.keys, identity);
	return { kind: 'done', value: identity };
}

/** The text of the QR code, or an address that has it behind its `#`. */
function readLink(text: string): EnrollmentLink | undefined {
	const whole = text.trim();
	const hash = /^https?:\/\//.test(whole) ? whole.slice(whole.indexOf('#') + 1).replace(/^enroll=/, '') : whole;
	return readEnrollmentLink(hash) ?? readEnrollmentLink(decoded(hash));
}

function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return '';
	}
}

/** One server has several addresses, so another one in the link is only said where the code is not known here. */
function problemOf(failure: Failure, isElsewhere: boolean): JoinProblem {
	if (failure.kind !== 'refused') return 'needs_server';
	if (failure.code === 'code_invalid' || failure.code === 'malformed') {
		return isElsewhere ? 'wrong_server' : 'code_refused';
	}
	return failure.code === 'wrong_server' ? 'wrong_server' : 'server_refused';
}

type JoinProblem = 'bad_link' | 'needs_server' | 'wrong_server' | 'code_refused' | 'server_refused';

function notDone(why: JoinProblem): { kind: 'not_done'; problem: StaffProblem } {
	return { kind: 'not_done', problem: { why } };
}
