import type { HostStream, LinkOptions } from './network.ts';

/** What a pipe carries, and until when. */
export interface PipeOptions extends LinkOptions {
	readonly stream: HostStream;
	/** The listener's: it ends the stream at its source, too. */
	readonly signal: AbortSignal;
}

/** How often a pipe looks whether its listener still lives. */
const lookMs = 1_000;

/**
 * Carries a stream's chunks over a link, each with its delay and in order, as TCP does. A link that hangs is a pipe that
 * never says anything again; one that breaks ends it.
 */
export function createPipe(options: PipeOptions): AsyncIterable<Uint8Array> {
	const { stream, time, chance, link, process, signal } = options;
	const arrived: Uint8Array[] = [];
	let state: 'open' | 'broken' | 'ended' | 'silent' = 'open';
	let wake = (): void => undefined;
	let lastMs = 0;
	const deliver = (act: () => void) => {
		lastMs = Math.max(lastMs, time.nowMs() + chance.between(...link.weather.delayMs));
		time.after(lastMs - time.nowMs(), () => {
			act();
			if (process.isAlive) process.run(wake);
		});
	};
	const end = (how: 'broken' | 'ended' | 'silent') => {
		if (state !== 'open') return;
		state = how;
		stream.close();
		if (how !== 'silent' && process.isAlive) process.run(wake);
	};
	const look = () => {
		if (state !== 'open') return;
		if (!process.isAlive || signal.aborted) end('ended');
		else if (link.weather.link === 'hang') end('silent');
		else if (link.weather.link !== 'up') end('broken');
		else time.after(lookMs, look);
	};
	time.outside(() => {
		look();
		void pump(stream.source, (chunk) => {
			look();
			if (state === 'open') deliver(() => arrived.push(chunk));
		}).then(
			() => deliver(() => end('ended')),
			() => deliver(() => end('broken')),
		);
	});
	return {
		[Symbol.asyncIterator]: () => ({
			next: async () => {
				while (arrived.length === 0) {
					if (state === 'broken') throw new Error('connection reset');
					if (state === 'ended') return { done: true, value: undefined };
					await new Promise<void>((resolve) => {
						wake = resolve;
					});
				}
				const value = arrived.shift() ?? new Uint8Array();
				return { done: false, value };
			},
		}),
	};
}

async function pump(source: AsyncIterable<Uint8Array>, take: (chunk: Uint8Array) => void): Promise<void> {
	for await (const chunk of source) take(chunk);
}
