import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { wholeTicket } from '../../gate-agent/core/allowance.ts';
import type { LoadPlan } from './load.ts';

/**
 * A program that presses claims on a server over many connections, one at a time on each. It speaks HTTP over TLS
 * sockets by itself: it shares the cores with the server, and Node's client would cost as much as the server.
 */
const [plan] = (await once(process, 'message')) as [LoadPlan];
let next = plan.firstIdx;
const state = { measuring: false, stopping: false };
const tookMs: number[] = [];
const sockets = await Promise.all(plan.tokens.map(() => open()));
const loops = sockets.map((socket, at) => press(socket, plan.tokens[at] ?? ''));
await wait(plan.warmupMs);
state.measuring = true;
const [startedMs, cpu] = [performance.now(), process.cpuUsage()];
process.send?.('begins');
await wait(plan.measureMs);
state.measuring = false;
const seconds = (performance.now() - startedMs) / 1000;
const { user, system } = process.cpuUsage(cpu);
process.send?.({ seconds, tookMs, generatorCpuSeconds: (user + system) / 1e6 });
state.stopping = true;
await Promise.all(loops);
for (const socket of sockets) socket.destroy();

async function open(): Promise<TLSSocket> {
	// The pin is checked by the client that enrolled; here only the load counts.
	const socket = connect({ host: '127.0.0.1', port: plan.port, rejectUnauthorized: false });
	await once(socket, 'secureConnect');
	return socket.setNoDelay(true);
}

async function press(socket: TLSSocket, token: string): Promise<void> {
	const answers = createAnswers(socket);
	while (!state.stopping) {
		const body = claimBody();
		const startMs = performance.now();
		socket.write(
			`POST ${plan.path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${token}\r\naccept: application/json\r\n` +
				`content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
		);
		const answer = await answers();
		if (state.measuring) tookMs.push(performance.now() - startMs);
		if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`a claim was refused: ${answer}`);
	}
}

function claimBody(): string {
	const redemption = randomBytes(16).toString('base64url');
	const ticket = { evt: plan.evt, idx: next++, allowance: wholeTicket, cls: 'adult', use: 1, uses: 1 };
	return JSON.stringify({ claims: [{ redemption, journal: 'bench', ...ticket, lane: 'lane-1', atMs: Date.now() }] });
}

/** Gives the answers of a connection one by one; they come whole or in pieces, never two at once. */
function createAnswers(socket: TLSSocket): () => Promise<string> {
	let text = '';
	let resolve: (answer: string) => void = () => {};
	socket.setEncoding('latin1').on('data', (chunk) => {
		text += chunk;
		const headEnd = text.indexOf('\r\n\r\n');
		if (headEnd === -1) return;
		const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1]);
		if (text.length < headEnd + 4 + length) return;
		const answer = text;
		text = '';
		resolve(answer);
	});
	return () => new Promise((each) => (resolve = each));
}

function wait(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
