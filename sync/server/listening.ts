import type { AddressInfo } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import type { App } from './http/app.ts';
import type { DeviceParts } from './server-parts.ts';

/** How long answers may take to end when the server stops, and how often idle connections are looked for. */
const drainMs = 10_000;
const drainLookMs = 50;

/** Addresses of one server that another is told. */
const originsMax = 16;

/** Where a server listens. */
export interface Address {
	readonly host: string;
	/** 0 takes a free one. */
	readonly port: number;
	/** Further names that clients reach it by. */
	readonly names: readonly string[];
}

/** Begins to listen and gives the address. Throws `address_unavailable`. */
export async function listen(app: App, { host, port }: Address): Promise<string> {
	try {
		await app.listen({ host, port });
	} catch (cause) {
		throw new StilewardError('address_unavailable', `Cannot listen on ${host}:${port}`, { cause });
	}
	return urlOf(app, host);
}

/** Names and addresses of this machine, so that a certificate fits however the server is reached. */
export function hostsOf({ host, names }: Omit<Address, 'port'>): readonly string[] {
	const addresses = isAny(host)
		? Object.values(networkInterfaces()).flatMap((each) => (each ?? []).filter(({ scopeid }) => !scopeid))
		: [];
	const own = ['localhost', '127.0.0.1', '::1', hostname().toLowerCase(), ...(isAny(host) ? [] : [host])];
	return [...new Set([...own, ...names, ...addresses.map(({ address }) => address)])];
}

/** Addresses that browsers may have reached this server by, as it listens now. */
export function originsOf(url: string, address: Omit<Address, 'port'>): readonly string[] {
	const { port, origin } = new URL(url);
	const named = address.names.map((name) => `https://${name.includes(':') ? `[${name}]` : name}:${port}`);
	return [...new Set([origin, ...named, ...(isAny(address.host) ? lanOrigins(port) : [])])].slice(0, originsMax);
}

/** Devices on site often know the hub by a number. */
function lanOrigins(port: string): readonly string[] {
	const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
	return addresses
		.filter(({ family, internal }) => family === 'IPv4' && !internal)
		.map((each) => `https://${each.address}:${port}`);
}

/** Takes nothing new and answers what was taken. Streams end first: a server whose streams go on would wait for ever. */
export async function drain(app: App, { feed, segments }: Pick<DeviceParts, 'feed' | 'segments'>): Promise<void> {
	feed.close();
	// A connection that was busy when the server stopped listening is idle once it is answered.
	const idle = setInterval(() => app.server.closeIdleConnections(), drainLookMs);
	const cut = setTimeout(() => app.server.closeAllConnections(), drainMs);
	await app.close();
	clearInterval(idle);
	clearTimeout(cut);
	await segments.drain();
}

function isAny(host: string): boolean {
	return host === '0.0.0.0' || host === '::';
}

function urlOf(app: App, host: string): string {
	// A TCP server that listens has an address of this form.
	const { port } = app.server.address() as AddressInfo;
	const shown = isAny(host) ? hostname().toLowerCase() : host;
	return `https://${shown.includes(':') ? `[${shown}]` : shown}:${port}`;
}
