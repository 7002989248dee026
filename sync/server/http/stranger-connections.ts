import type { IncomingMessage } from 'node:http';
import { isIPv6, type Server, type Socket } from 'node:net';

/** How many connections may stand that no device or operator has spoken on yet. */
export interface StrangerLimits {
	readonly perAddressMax: number;
	readonly max: number;
}

/** Tells a server's connections of devices and operators from those of strangers. */
export interface StrangerConnections {
	/** Somebody who is known speaks on the connection of this request: it is no stranger's any more. */
	known(request: IncomingMessage): void;
	count(): number;
}

/**
 * Keeps strangers from taking all connections of a server, which costs them nothing. Above a limit the oldest one of
 * the address that has the most is closed: whoever is about to show a token does so within a moment, whoever only holds
 * connections loses them to the next who comes.
 */
export function limitStrangers(server: Server, limits: StrangerLimits): StrangerConnections {
	// By address, then by port; both keep the order in which connections came.
	const strangers = new Map<string, Map<number, Socket>>();
	let count = 0;

	function forget(address: string, port: number): void {
		const own = strangers.get(address);
		if (!own?.delete(port)) return;
		count -= 1;
		if (own.size === 0) strangers.delete(address);
	}

	function closeOldest(address: string): void {
		const [oldest] = strangers.get(address) ?? [];
		if (oldest === undefined) return;
		const [port, socket] = oldest;
		forget(address, port);
		socket.destroy();
	}

	// Before TLS: also a connection that never says a word is one.
	server.on('connection', (socket: Socket) => {
		const { remoteAddress, remotePort: port } = socket;
		if (remoteAddress === undefined || port === undefined) return;
		const address = networkOf(remoteAddress);
		const own = strangers.get(address) ?? new Map<number, Socket>();
		strangers.set(address, own.set(port, socket));
		count += 1;
		socket.once('close', () => forget(address, port));
		if (own.size > limits.perAddressMax) closeOldest(address);
		if (count > limits.max) closeOldest(busiest(strangers));
	});

	return {
		known: ({ socket: { remoteAddress, remotePort } }) => {
			if (remoteAddress !== undefined && remotePort !== undefined) forget(networkOf(remoteAddress), remotePort);
		},
		count: () => count,
	};
}

/** One host can take any address of its IPv6 network, which has 64 bits of them. */
function networkOf(address: string): string {
	if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
	const [head = '', tail] = address.split('::');
	const groups = head.split(':');
	const filled = tail === undefined ? groups : [...groups, ...Array<string>(8).fill('0')];
	return filled.slice(0, 4).join(':');
}

function busiest(strangers: ReadonlyMap<string, ReadonlyMap<number, Socket>>): string {
	let most = '';
	let size = 0;
	for (const [address, own] of strangers) if (own.size > size) [most, size] = [address, own.size];
	return most;
}
