import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** The control socket of a QEMU process (QEMU Machine Protocol, docs/interop/qmp-spec). */
export interface Qmp {
	/** Runs a command. Rejects with QEMU's own words, or after `answerMs`. */
	execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
	close(): void;
}

/** QEMU answers at once; a device that is pulled while its driver is busy takes a little. */
const answerMs = 10_000;

/** QEMU makes its socket soon after it starts. */
const connectTries = 200;
const betweenTriesMs = 50;

interface Answer {
	readonly return?: unknown;
	readonly error?: { readonly desc: string };
	readonly event?: string;
}

/** Connects to the socket of a QEMU that is starting, and leaves its negotiation mode. */
export async function openQmp(path: string): Promise<Qmp> {
	const socket = await connectTo(path);
	const waiting: ((answer: Answer) => void)[] = [];
	createInterface({ input: socket }).on('line', (line) => {
		const answer = JSON.parse(line) as Answer;
		if ('return' in answer || 'error' in answer) waiting.shift()?.(answer);
	});
	socket.on('error', () => {});
	socket.on('close', () => {
		for (const settle of waiting.splice(0)) settle({ error: { desc: 'QEMU has ended' } });
	});
	const execute: Qmp['execute'] = async (command, args) => {
		const answered = new Promise<Answer>((resolve) => waiting.push(resolve));
		socket.write(`${JSON.stringify({ execute: command, ...(args && { arguments: args }) })}\n`);
		const late = sleep(answerMs, { error: { desc: `no answer within ${answerMs} ms` } }, { ref: false });
		const answer: Answer = await Promise.race([answered, late]);
		if (answer.error) throw new Error(`QEMU refused ${command}: ${answer.error.desc}`);
		return answer.return;
	};
	await execute('qmp_capabilities');
	return { execute, close: () => socket.destroy() };
}

/** Connects to a Unix socket as soon as it is there. */
export async function connectTo(path: string) {
	for (let tries = 1; ; tries += 1) {
		const socket = connect(path);
		try {
			await once(socket, 'connect');
			return socket;
		} catch (error) {
			socket.destroy();
			if (tries === connectTries) throw error;
			await sleep(betweenTriesMs);
		}
	}
}
