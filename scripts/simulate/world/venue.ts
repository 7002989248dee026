import { issueTicket } from '../../../gate-agent/core/issue.ts';
import { kidOf, onlyPublic } from '../../../gate-agent/core/jwk.ts';
import { ticketId } from '../../../gate-agent/core/ticket.ts';
import { compactPayload, encodeCompact } from '../../../gate-agent/core/ticket-compact.ts';
import type { EnrolledGate } from '../../../gate-agent/enrollment.ts';
import type { ResponseOf } from '../../../sync/protocol/paths.ts';
import type { ServerBasis } from '../../../sync/server/assemble-server.ts';
import { hashCode } from '../../../sync/server/http/device-routes.ts';
import { type Issuer, ticketsOf } from '../../../sync/server/issuing.ts';
import { openSqliteOffice } from '../../../sync/server/office/kysely-office.ts';
import type { ServerKeys } from '../../../sync/server/server-keys.ts';
import type { Order, OrderRequest } from '../../../sync/server/store.ts';
import type { Chance } from '../runtime/chance.ts';
import type { VirtualTime } from '../runtime/virtual-time.ts';
import { silent } from './gate.ts';
import { makeIssuer, makeKey } from './keys.ts';
import type { OrderPlan } from './plan.ts';
import { openServerDisk, type ServerDisk } from './server-disk.ts';
import { createServerMachine, type ServerMachine } from './server-machine.ts';
import { evt, policy, type WorldTicket } from './tickets.ts';

/** The venue of every world. */
export const venueId = 'lantern-park';

/** The id of its server, on whatever machine it runs. */
export const serverId = 'centre';

/** A server of the venue: a machine and its disk. */
export interface Server {
	readonly machine: ServerMachine;
	readonly disk: ServerDisk;
}

/** The venue's office and its servers. */
export interface Venue {
	readonly issuer: Issuer;
	/** The server that is the authority now. */
	current(): Server;
	/** All servers whose disks are there. */
	servers(): readonly Server[];
	/** A server of the same venue on a machine of its own, from a copy of a disk. It does not run yet. */
	build(name: string, copy: Buffer): Promise<Server>;
	/** Makes a server the one that the office works with; what is on the others counts no more. */
	appoint(server: Server): void;
	/** A machine is scrapped, and its disk with it. */
	scrap(server: Server): void;
	/** Makes a device known, by the calls that a technician makes. */
	enroll(name: string): Promise<EnrolledGate>;
	/** Sells tickets. */
	sell(plan: OrderPlan, home?: string): Promise<readonly WorldTicket[]>;
	/** Tickets that no gate may ever open for. */
	flawed(): Promise<readonly WorldTicket[]>;
	/** The tickets of an order that was made otherwise, e.g. by an exchange. */
	print(order: Order): Promise<readonly WorldTicket[]>;
	requestOf(plan: OrderPlan, home?: string): OrderRequest;
}

/** What a venue needs of the world. */
export interface VenueOptions {
	readonly time: VirtualTime;
	readonly chance: Chance;
	readonly startMs: number;
}

const daySeconds = 86_400;

/** Opens the venue: its first server runs, its event has its rules. */
export async function openVenue({ time, chance, startMs }: VenueOptions): Promise<Venue> {
	const nowMs = () => Math.floor(startMs + time.nowMs());
	const startSeconds = Math.floor(startMs / 1000);
	const issuer = await makeIssuer(chance.of('keys'), startSeconds - daySeconds);
	const timeKey = makeKey(chance.of('time-key'));
	const tokenSecret = new Uint8Array(32);
	chance.of('token-secret').fill(tokenSecret);
	const keys: ServerKeys = { tokenSecret, timeKey, timePublicKey: onlyPublic(timeKey) };
	const office = await openSqliteOffice(':memory:');
	const basis: Omit<ServerBasis, 'store'> = {
		...{ venue: venueId, server: serverId, office, issuer, keys, log: silent, nowMs },
		fingerprint: Buffer.from(tokenSecret).toString('base64url'),
	};
	const delays = chance.of('disk-delays');
	const servers: Server[] = [];
	const build = async (name: string, copy?: Buffer): Promise<Server> => {
		const disk = await openServerDisk(copy, () => delays.between(0.1, 1.5));
		const server = { disk, machine: createServerMachine({ name, time, basis: { ...basis, store: disk.store } }) };
		servers.push(server);
		return server;
	};
	let current = await build('centre');
	const { store } = current.disk;
	await store.createVenue({ id: venueId, name: venueId, server: serverId, atMs: nowMs() });
	await store.putEvent(venueId, { evt, policy }, nowMs());
	await store.appendControl(venueId, [{ kind: 'keys', manifest: issuer.manifest }], nowMs());
	await current.machine.start();

	const validity = { nbf: startSeconds - daySeconds, exp: startSeconds + daySeconds };
	const requestOf = ({ order, cls, count, use }: OrderPlan, home?: string): OrderRequest => {
		const claims = { ...validity, ...(home !== undefined && { home }) };
		return { venue: venueId, evt, order, cls, count, use, claims, atMs: nowMs() };
	};
	const print = async (order: Order): Promise<readonly WorldTicket[]> => {
		const printed: WorldTicket[] = [];
		// Written by `requestOf` alone.
		const { home } = order.claims as { readonly home?: string };
		for await (const batch of ticketsOf(order, issuer)) {
			for (const { idx, ticket } of batch) {
				const { cls, use } = order;
				printed.push({ name: `T${idx}`, idx, cls, use, text: ticket, order: order.order, ...(home && { home }) });
			}
		}
		return printed;
	};
	return {
		issuer,
		current: () => current,
		servers: () => servers,
		build,
		appoint: (server) => {
			current = server;
		},
		scrap: (server) => {
			server.machine.crash();
			servers.splice(servers.indexOf(server), 1);
		},
		enroll: (name) => enroll(current, { name, chance: chance.of(name), nowMs }),
		print,
		requestOf,
		sell: async (plan, home) => print(await current.disk.store.issueOrder(requestOf(plan, home))),
		flawed: () => flawedTickets(issuer, chance.of('flaws'), validity),
	};
}

async function enroll(
	{ disk, machine }: Server,
	{ name, chance, nowMs }: { readonly name: string; readonly chance: Chance; readonly nowMs: () => number },
): Promise<EnrolledGate> {
	const key = makeKey(chance);
	const code = `ENROLL-${name.toUpperCase()}`;
	await disk.store.addEnrollmentCode({
		...{ venue: venueId, name, codeHash: hashCode(code), expiresMs: nowMs() + 600_000 },
	});
	const { status, text } = await machine.handle({
		method: 'POST',
		path: '/v1/enroll',
		headers: { accept: 'application/json' },
		body: { code, key: onlyPublic(key), name, version: '0.1.0' },
		timeoutMs: 10_000,
		signal: new AbortController().signal,
	});
	if (status !== 200) throw new Error(`assertion failed: enrolling ${name} gave ${status} ${text}`);
	const { device, venue, server, rootKey, timeKeys, caPin } = JSON.parse(text) as ResponseOf<'enroll'>;
	const url = `https://${server}.invalid`;
	return { key, enrollment: { url, fingerprint: caPin, device, venue, server, rootKey, timeKeys } };
}

/** One of each kind of code that must never open a gate. */
async function flawedTickets(
	issuer: Issuer,
	chance: Chance,
	validity: { readonly nbf: number; readonly exp: number },
): Promise<readonly WorldTicket[]> {
	const { kid, privateKey } = issuer.keyFor(evt, 0);
	const claims = { evt, idx: 900_000, cls: 'adult', ...validity };
	const noSignature = new Uint8Array(64);
	chance.of('forger').fill(noSignature);
	const forged = encodeCompact(kid, compactPayload({ id: ticketId(evt, claims.idx), use: 1, ...claims }), noSignature);
	const stranger = makeKey(chance.of('stranger'));
	const other = await issueTicket(claims, { kid: await kidOf(stranger), privateKey: stranger }, 'compact');
	const sign = (over: object) => issueTicket({ ...claims, ...over }, { kid, privateKey }, 'compact');
	const ticket = (idx: number, flaw: NonNullable<WorldTicket['flaw']>, text: string): WorldTicket => {
		return { name: `X${idx}`, idx: 900_000 + idx, cls: 'adult', use: 1, text, flaw };
	};
	return [
		ticket(1, 'forged', forged),
		ticket(2, 'of another event', await sign({ evt: 'opera', idx: 900_002 })),
		ticket(
			3,
			'expired',
			await sign({ idx: 900_003, nbf: validity.nbf - 2 * daySeconds, exp: validity.nbf - daySeconds }),
		),
		ticket(4, 'not valid yet', await sign({ idx: 900_004, nbf: validity.exp, exp: validity.exp + daySeconds })),
		ticket(5, 'of an unknown key', other),
		ticket(6, 'no ticket', 'https://example.org/menu'),
	];
}
