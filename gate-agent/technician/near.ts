import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { hostname } from 'node:os';

const near = new BlockList();
for (const [network, prefix] of [
	['127.0.0.0', 8],
	['10.0.0.0', 8],
	['172.16.0.0', 12],
	['192.168.0.0', 16],
	['169.254.0.0', 16],
] as const) {
	near.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
	['::1', 128],
	['fe80::', 10],
	['fc00::', 7],
] as const) {
	near.addSubnet(network, prefix, 'ipv6');
}

/** Whether an address is this machine's, of a private network (RFC 1918, RFC 4193) or link-local (RFC 3927, RFC 4291). */
export function isNear(address: string | undefined): boolean {
	const plain = plainOf(address);
	const family = isIP(plain);
	return family !== 0 && near.check(plain, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Whether a request names this gate by its own address or name. A page of elsewhere whose name was made to lead here
 * (DNS rebinding) names itself. `names` are what people may call the machine beside its address.
 */
export function isOwnHost(request: IncomingMessage, names: readonly string[] = ownNames()): boolean {
	const { localAddress, localPort } = request.socket;
	const host = request.headers.host?.toLowerCase();
	const address = plainOf(localAddress);
	const own = [isIP(address) === 6 ? `[${address}]` : address, ...names];
	return (
		host !== undefined && own.some((name) => host === `${name}:${localPort}` || (localPort === 80 && host === name))
	);
}

/** Whether a request that changes something comes from a page of this gate: browsers write its origin, and no page can. */
export function isOwnOrigin({ headers }: IncomingMessage): boolean {
	const site = headers['sec-fetch-site'];
	return headers.origin === `http://${headers.host}` && (site === undefined || site === 'same-origin');
}

function ownNames(): readonly string[] {
	const name = hostname().toLowerCase();
	return ['localhost', name, `${name}.local`];
}

/** An address of IPv4 comes in the form of IPv6 where one socket takes both; a zone names a card of this machine. */
function plainOf(address = ''): string {
	return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}
