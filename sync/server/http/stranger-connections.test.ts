import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { limitStrangers, type StrangerConnections } from './stranger-connections.ts';

let server: Server | undefined;
const sockets: Socket[] = [];
afterEach(() => {
	for (const socket of sockets.splice(0)) socket.destroy();
	server?.close();
});

async function listen(limits: { perAddressMax: number; max: number }, host: string): Promise<StrangerConnections> {
	const made = createServer((request, response) => {
		if (request.headers.authorization === 'known') strangers.known(request);
		response.end(request.headers.authorization);
	});
	const strangers = limitStrangers(made, limits);
	server = made.listen(0, host);
	await once(server, 'listening');
	return strangers;
}

async function open(host: string, localAddress = host): Promise<Socket> {
	if (server === undefined) throw new Error('no server listens');
	// A TCP server that listens has an address of this form.
	const { port } = server.address() as AddressInfo;
	const socket = connect({ host, port, localAddress })
		.on('error', () => {})
		.resume();
	sockets.push(socket);
	await once(socket, 'connect');
	return socket;
}

async function speak(socket: Socket): Promise<void> {
	socket.write('GET / HTTP/1.1\r\nHost: x\r\nAuthorization: known\r\n\r\n');
	await once(socket, 'data');
}

async function untilClosed(count: number): Promise<readonly number[]> {
	const closed = () => sockets.flatMap(({ closed }, index) => (closed ? [index] : []));
	while (closed().length < count) await sleep(2);
	return closed();
}

it('closes the oldest of an address that has too many, and none on which somebody known has spoken', async () => {
	const strangers = await listen({ perAddressMax: 3, max: 100 }, '127.0.0.1');
	await speak(await open('127.0.0.1'));
	for (let each = 0; each < 5; each++) await open('127.0.0.1');
	expect(await untilClosed(2)).toEqual([1, 2]);
	expect(strangers.count()).toBe(3);
	for (const socket of sockets) socket.destroy();
	while (strangers.count() > 0) await sleep(2);
});

it('closes the oldest of the address with the most where all together have too many', async () => {
	await listen({ perAddressMax: 100, max: 4 }, '127.0.0.1');
	await open('127.0.0.1', '127.0.0.9');
	for (let each = 0; each < 4; each++) await open('127.0.0.1');
	await open('127.0.0.1', '127.0.0.9');
	expect(await untilClosed(2)).toEqual([1, 2]);
});

it('counts all addresses of a host’s IPv6 network as one', async () => {
	const strangers = await listen({ perAddressMax: 1, max: 100 }, '::1');
	await open('::1');
	await open('::1');
	expect(await untilClosed(1)).toEqual([0]);
	expect(strangers.count()).toBe(1);
});
