import type { EmulatedLine } from './pty.ts';
import { type CoilEdge, createRelayContacts } from './relay-board.ts';

/** An LCUS board: it obeys frames of four bytes, never answers, and is fed by its USB plug. */
export interface LcusEmulator {
	/** Every byte that reached the board, with its time: what a test counts. */
	readonly received: readonly { readonly atMs: number; readonly byte: number }[];
	readonly edges: readonly CoilEdge[];
	isClosed(channel: number): boolean;
	/** Pulls the USB plug: the port goes, and the coils fall open for want of current. */
	unplug(): Promise<void>;
	replug(): Promise<void>;
}

/** Bytes that the board remembers; the oldest go first. */
const receivedMax = 100_000;

/** Puts a board behind a line. `onCoil` is the wire from its contacts to a turnstile. */
export function emulateLcus(
	line: EmulatedLine,
	options: {
		readonly channels?: number;
		readonly onCoil?: (channel: number, closed: boolean) => void;
		readonly nowMs?: () => number;
	} = {},
): LcusEmulator {
	const { channels = 1, onCoil = () => {}, nowMs = () => performance.now() } = options;
	const contacts = createRelayContacts(channels, onCoil, nowMs);
	const received: { atMs: number; byte: number }[] = [];
	let frame: number[] = [];

	const take = (byte: number) => {
		received.push({ atMs: nowMs(), byte });
		if (received.length > receivedMax) received.shift();
		if (frame.length === 0 && byte !== 0xa0) return;
		frame.push(byte);
		if (frame.length < 4) return;
		const [start = 0, channel = 0, state = 0, sum] = frame;
		frame = [];
		if (((start + channel + state) & 0xff) === sum && state <= 1) contacts.move(channel, state === 1);
	};
	line.onData((bytes) => {
		for (const byte of bytes) take(byte);
	});
	return {
		received,
		edges: contacts.edges,
		isClosed: contacts.isClosed,
		async unplug() {
			frame = [];
			contacts.fallOpen();
			await line.unplug();
		},
		replug: () => line.replug(),
	};
}
