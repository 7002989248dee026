import { openPty, type Pty } from './pty.ts';

/** A Newland scanner in packet mode on a pseudo-terminal. */
export interface NewlandEmulator {
	readonly path: string;
	readonly pty: Pty;
	/** Reads a code once and sends its packet; does not wait for the answer. */
	present(code: string): Promise<void>;
	/** What it was told: beeps, vibrations, or nothing to tell. */
	readonly told: readonly ('good' | 'bad' | 'neutral')[];
	close(): Promise<void>;
}

/** Answers of a host by their bytes (NLS-BS80 manual, p. 40). */
const meanings: Readonly<Record<string, 'good' | 'bad' | 'neutral'>> = {
	'020106013b03': 'good',
	'020115023b03': 'bad',
	'020106003b03': 'neutral',
};
const answerBytes = 6;

/** Plugs a scanner in. `packetOf` makes the bytes of a packet. Errors: those of `openPty`. */
export async function openNewlandEmulator(packetOf: (data: Uint8Array) => Uint8Array): Promise<NewlandEmulator> {
	const pty = await openPty();
	const told: ('good' | 'bad' | 'neutral')[] = [];
	let pending: Buffer = Buffer.alloc(0);
	pty.onData((bytes) => {
		pending = Buffer.concat([pending, bytes]);
		while (pending.length >= answerBytes) {
			const meaning = meanings[pending.subarray(0, answerBytes).toString('hex')];
			if (meaning) told.push(meaning);
			pending = pending.subarray(meaning ? answerBytes : 1);
		}
	});
	return {
		...{ path: pty.path, pty, told },
		present: (code) => pty.write(packetOf(Buffer.from(code))),
		close: () => pty.close(),
	};
}
