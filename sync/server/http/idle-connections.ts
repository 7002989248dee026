import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';

/**
 * Makes a server close idle connections only once their last answer has been sent. To Node an answer is over when it has
 * been handed to the connection, also where megabytes of it still wait for a slow reader: a server that stops would cut
 * it. Node itself asks for idle connections when a server is closed, so its own method is replaced.
 */
export function closeOnceSent(server: Server): void {
	const open = new Set<Socket>();
	const answering = new Map<Socket, number>();
	server.on('secureConnection', (socket: Socket) => {
		open.add(socket);
		socket.once('close', () => void open.delete(socket));
	});
	server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
		answering.set(socket, (answering.get(socket) ?? 0) + 1);
		// Told once the last byte was given to the system, or nobody reads any more.
		response.once('close', () => {
			const left = (answering.get(socket) ?? 1) - 1;
			if (left === 0) answering.delete(socket);
			else answering.set(socket, left);
		});
	});
	server.closeIdleConnections = () => {
		for (const socket of open) if (!answering.has(socket)) socket.destroy();
	};
}
