import { isRequest, type RequestOf, type ResponseOf, type StaffRouteName } from '../../protocol/paths.ts';
import { staffLanesMax, staffTicketsMax, staffUsesMax } from '../../protocol/staff.ts';
import type { SignedIn } from '../office/staff.ts';
import type { ServerParts } from '../server-parts.ts';
import { sendLaneCommand } from './lane-commands.ts';
import { Refusal } from './refusal.ts';

/** What a call for staff is answered from. */
export interface StaffCall<Name extends StaffRouteName> {
	readonly input: RequestOf<Name>;
	/** The device in whose hand it was made, also where a hub passes it on. */
	readonly device: string;
	/** The request that asked for it, as in the log. */
	readonly requestId: string;
}

/** Answers one call for staff. Rejects with a `Refusal`. */
export type StaffAnswers = {
	readonly [Name in StaffRouteName]: (call: StaffCall<Name>) => Promise<ResponseOf<Name>>;
};

/** The centre's answers to staff who sign in at a device. */
export function staffAnswers(parts: ServerParts): StaffAnswers {
	return {
		staffSignIn: (call) => signIn(parts, call),
		staffStatus: (call) => signedIn(parts, call),
		staffTicket: (call) => ticket(parts, call),
		staffOrder: (call) => order(parts, call),
		staffLanes: async (call) => {
			await signedIn(parts, call);
			return { lanes: await lanesOf(parts) };
		},
		staffLaneOrder: (call) => laneOrder(parts, call),
	};
}

/** Answers a call for staff that a hub passes on as it came. Throws `malformed` for one that is none. */
export async function answerStaff(
	answers: StaffAnswers,
	call: { readonly name: string; readonly request: unknown; readonly device: string; readonly requestId: string },
): Promise<object> {
	const { name, request: input, device, requestId } = call;
	if (!isStaffRoute(answers, name) || !isRequest(name, input)) {
		throw new Refusal('malformed', { detail: 'it is no call for staff' });
	}
	// The request has just been checked against the schema of this very call.
	const answer = answers[name] as (each: unknown) => Promise<object>;
	return answer({ input, device, requestId });
}

function isStaffRoute(answers: StaffAnswers, name: string): name is StaffRouteName {
	return Object.hasOwn(answers, name);
}

async function signIn(parts: ServerParts, call: StaffCall<'staffSignIn'>): Promise<ResponseOf<'staffSignIn'>> {
	const { staff, venue, log } = parts;
	const { input, device, requestId } = call;
	const result = await staff.signIn({ venue, ...input, device });
	log.info({ event: 'staff_sign_in', result: result.kind, device, requestId });
	if (result.kind === 'busy') throw new Refusal('rate_limited', { retryAfterMs: result.retryMs });
	if (result.kind === 'refused') throw new Refusal('staff_refused');
	await audit(parts, call, { name: result.name, act: 'staff.sign_in', subject: device });
	const { kind: _, ...session } = result;
	return session;
}

/** Who holds the device. One answer for all that is wrong, so that nobody learns which names there are. */
async function signedIn(
	{ staff, venue }: ServerParts,
	{ input: { token }, device }: { readonly input: { readonly token: string }; readonly device: string },
): Promise<SignedIn> {
	const found = await staff.signedIn({ venue, token, device });
	if (!found) throw new Refusal('staff_refused');
	return found;
}

/** Written before it is done, like every act of an operator. */
async function audit(
	{ office, venue, nowMs }: ServerParts,
	{ requestId }: { readonly requestId: string },
	{ name, act, subject }: { readonly name: string; readonly act: string; readonly subject: string },
): Promise<void> {
	await office.addAudit({ venue, atMs: nowMs(), operator: name, act, subject, request: requestId });
}

async function ticket(parts: ServerParts, call: StaffCall<'staffTicket'>): Promise<ResponseOf<'staffTicket'>> {
	const { store, venue } = parts;
	const { evt, idx } = call.input;
	const { name } = await signedIn(parts, call);
	await audit(parts, call, { name, act: 'staff.ticket', subject: `${evt}/${idx}` });
	const { sold, revoked, uses } = await store.ticketHistory({ venue, evt, idx }, staffUsesMax);
	return { evt, idx, ...sold, revoked, uses: [...uses] };
}

async function order(parts: ServerParts, call: StaffCall<'staffOrder'>): Promise<ResponseOf<'staffOrder'>> {
	const { store, venue } = parts;
	const { number } = call.input;
	const { name } = await signedIn(parts, call);
	await audit(parts, call, { name, act: 'staff.order', subject: number });
	const found = await store.orderTickets(venue, number, staffTicketsMax);
	if (!found) throw new Refusal('not_found', { detail: 'there is no such order' });
	return { number, tickets: [...found.tickets], more: found.more };
}

/** Lanes of devices that are in use, as they said themselves. */
async function lanesOf({ store, venue }: ServerParts): Promise<ResponseOf<'staffLanes'>['lanes']> {
	const devices = await store.devices(venue);
	const lanes = devices.flatMap(({ device, name, status, report }) => {
		if (report === undefined || status === 'disabled') return [];
		const { lanes: reported, atMs: seenMs } = report;
		return reported.map(({ lane, mode, phase }) => ({ device, name, lane, mode, phase, seenMs }));
	});
	return lanes.slice(0, staffLanesMax);
}

async function laneOrder(parts: ServerParts, call: StaffCall<'staffLaneOrder'>): Promise<ResponseOf<'staffLaneOrder'>> {
	const { feed, venue, nowMs } = parts;
	const { device, lane, order: kind } = call.input;
	const { name } = await signedIn(parts, call);
	await audit(parts, call, { name, act: 'staff.lane', subject: `${device} ${lane} ${kind}` });
	const sent = await sendLaneCommand(parts, { device, lane, command: { kind }, by: name, atMs: nowMs() });
	feed.wake(venue);
	return sent;
}
