import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { wholeTicket } from '../../gate-agent/core/allowance.ts';
import type { LoadPlan, LoadResult } from './load.ts';

/**
 * A program that presses claims on a server over many connections, one at a time on each. It speaks HTTP over TLS
 * sockets by itself: it shares the cores with the server, and Node's client would cost as much as the server.
 */
async function main(plan: LoadPlan): Promise<void> {
	const load = new Load(plan);
	const sockets = await Promise.all(plan.tokens.map(() => open(plan.port)));
	const loops = sockets.map((socket, at) => load.press(socket, plan.tokens[at] ?? ''));
	await sleep(plan.warmupMs);
	process.send?.('begins');
	process.send?.(await load.measure());
	await Promise.all(loops);
	for (const socket of sockets) socket.destroy();
}

class Load {
	readonly #plan: LoadPlan;
	readonly #tookMs: number[] = [];
	#next: number;
	#phase: 'warmup' | 'measure' | 'end' = 'warmup';

	constructor(plan: LoadPlan) {
		this.#plan = plan;
		this.#next = plan.firstIdx;
	}

	async measure(): Promise<LoadResult> {
		this.#phase = 'measure';
		const [startedMs, cpu] = [performance.now(), process.cpuUsage()];
		await sleep(this.#plan.measureMs);
		this.#phase = 'end';
		const { user, system } = process.cpuUsage(cpu);
		const seconds = (performance.now() - startedMs) / 1000;
		return { seconds, tookMs: this.#tookMs, generatorCpuSeconds: (user + system) / 1e6 };
	}

	async press(socket: TLSSocket, token: string): Promise<void> {
		const answer = createAnswers(socket);
		while (this.#phase !== 'end') {
			const body = this.#claim();
			const startMs = performance.now();
			socket.write(
				`POST ${this.#plan.path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${token}\r\n` +
					`content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
			);
			const text = await answer();
			if (!text.startsWith('HTTP/1.1 200')) throw new Error(`a claim was refused: ${text}`);
			if (this.#phase === 'measure') this.#tookMs.push(performance.now() - startMs);
		}
	}

	#claim(): string {
		const redemption = randomBytes(16).toString('base64url');
		const ticket = { evt: this.#plan.evt, idx: this.#next, allowance: wholeTicket, cls: 'adult', use: 1, uses: 1 };
		this.#next += 1;
		return JSON.stringify({ claims: [{ redemption, journal: 'bench', ...ticket, lane: 'lane-1', atMs: Date.now() }] });
	}
}

async function open(port: number): Promise<TLSSocket> {
	// The pin is checked by the client that enrolled; here only the load counts.
	const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
	await once(socket, 'secureConnect');
	return socket.setNoDelay(true);
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
	return () => {
		const { promise, resolve: answered } = Promise.withResolvers<string>();
		resolve = answered;
		return promise;
	};
}

const [plan] = await once(process, 'message');
// Sent by `runLoad` alone.
await main(plan as LoadPlan);
