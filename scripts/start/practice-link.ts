import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** The cable between a gate and the server, as far as TCP shows it. */
export interface PracticeLink {
	/** Where the gate finds the server. */
	readonly url: string;
	isCut(): boolean;
	/** Breaks every connection; later ones get no answer until `heal`, as with a cable that leads nowhere. */
	cut(): void;
	/** Joins the cable again: connections that still wait go through. */
	heal(): void;
	close(): Promise<void>;
}

/** Connections that wait for the cable; the oldest give up first. */
const waitingMax = 64;

/** Lays a cable on loopback to the server's port. */
export async function openLink(port: number): Promise<PracticeLink> {
	const joined = new Set<Socket>();
	let waiting: Socket[] = [];
	let isCut = false;
	const track = (socket: Socket, other: Socket) => {
		joined.add(socket);
		socket.once('error', () => other.destroy());
		socket.once('close', () => {
			joined.delete(socket);
			other.destroy();
		});
	};
	const join = (near: Socket) => {
		const far = connect({ host: '127.0.0.1', port });
		for (const socket of [near, far]) socket.setNoDelay(true);
		track(near, far);
		track(far, near);
		near.pipe(far).pipe(near);
	};
	const hold = (socket: Socket) => {
		socket.on('error', () => {});
		waiting.push(socket);
		for (const oldest of waiting.slice(0, -waitingMax)) oldest.destroy();
		waiting = waiting.slice(-waitingMax);
	};
	// Nothing is read before the socket is joined: what a gate sends into a cut cable stays in its own buffers.
	const server = createServer({ pauseOnConnect: true }, (socket) => (isCut ? hold(socket) : join(socket)));
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject).listen(0, '127.0.0.1', resolve);
	});
	// A TCP server that listens has an address of this form.
	const { port: own } = server.address() as AddressInfo;
	const drop = (sockets: Iterable<Socket>) => {
		for (const socket of [...sockets]) socket.destroy();
	};
	return {
		url: `https://127.0.0.1:${own}`,
		isCut: () => isCut,
		cut: () => {
			isCut = true;
			drop(joined);
		},
		heal: () => {
			isCut = false;
			const held = waiting;
			waiting = [];
			for (const socket of held) if (!socket.destroyed) join(socket);
		},
		close: () => {
			const closed = new Promise<void>((resolve) => server.close(() => resolve()));
			drop(joined);
			drop(waiting);
			return closed;
		},
	};
}
