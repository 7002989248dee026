import { constants, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReadStream, WriteStream } from 'node:tty';
import type { HostAnswer, HostRequest } from './host-requests.ts';

/** The guest's line to the world around it. */
export interface Host {
	/** Rejects with what the host says, or after `answerMs`. */
	ask(request: HostRequest): Promise<HostAnswer>;
	close(): void;
}

const linePath = '/dev/ttyS1';

/** A text is typed at a key in 24 ms; the longest of the lab has 400 characters. */
const answerMs = 60_000;

/** Opens the line; one at a time. */
export function openHost(): Host {
	const fd = openSync(linePath, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
	const input = new ReadStream(fd);
	const output = new WriteStream(openSync(linePath, constants.O_RDWR | constants.O_NOCTTY));
	const waiting = new Map<number, (answer: HostAnswer) => void>();
	let count = 0;
	createInterface({ input }).on('line', (line) => {
		const { id, answer } = JSON.parse(line) as { readonly id: number; readonly answer: HostAnswer };
		waiting.get(id)?.(answer);
		waiting.delete(id);
	});
	return {
		ask: async (request) => {
			count += 1;
			const id = count;
			const answered = new Promise<HostAnswer>((resolve) => waiting.set(id, resolve));
			output.write(`${JSON.stringify({ id, request })}\n`);
			const late = sleep(answerMs, { error: `no answer within ${answerMs} ms` }, { ref: false });
			const answer: HostAnswer = await Promise.race([answered, late]);
			if (answer.error !== undefined) throw new Error(`the host cannot ${request.do}: ${answer.error}`);
			return answer;
		},
		close: () => {
			input.destroy();
			output.destroy();
		},
	};
}
