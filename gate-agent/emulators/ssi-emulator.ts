import { setTimeout as delay } from 'node:timers/promises';
import { openPty, type Pty } from './pty.ts';

/** A scanner with the Simple Serial Interface on a pseudo-terminal. */
export interface SsiEmulator {
	readonly path: string;
	readonly pty: Pty;
	/** Reads a code once: its packets, each sent again where no acknowledgement comes. */
	present(code: string): Promise<void>;
	/** Sends the first packet of a code that has more, and no other. */
	tear(code: string): Promise<void>;
	/** Codes of the beeps that it was told. */
	readonly beeps: readonly number[];
	/** Acknowledges nothing any more. */
	hang(): void;
	/** The next acknowledgements of the host are lost on the way. */
	loseAcks(count: number): void;
	close(): Promise<void>;
}

/** Data bytes of one packet: 255 less the header and the kind of the code. */
const partBytes = 240;
const qrCode = 0xf1;
const ackWaitMs = 300;
const triesMax = 3;

/** Plugs a scanner in. Errors: those of `openPty`. */
export async function openSsiEmulator(): Promise<SsiEmulator> {
	const pty = await openPty();
	const beeps: number[] = [];
	let acked: (() => void) | undefined;
	let hangs = false;
	let lost = 0;
	let pending: readonly number[] = [];
	const obey = (opcode: number, data: readonly number[]) => {
		if (opcode === 0xd0) {
			if (lost > 0) lost -= 1;
			else acked?.();
			return;
		}
		if (hangs) return;
		if (opcode === 0xe6) beeps.push(data[0] ?? 0);
		// A decoder acknowledges every command.
		if ([0xe6, 0xe9, 0xea, 0xc6].includes(opcode)) void pty.write(packet(0xd0, 0, [])).catch(() => {});
	};
	pty.onData((bytes) => {
		pending = [...pending, ...bytes];
		for (;;) {
			// Zeros wake it.
			while (pending[0] === 0) pending = pending.slice(1);
			const [length = 0, opcode = 0] = pending;
			if (pending.length === 0 || pending.length < length + 2) return;
			obey(opcode, pending.slice(4, length));
			pending = pending.slice(length + 2);
		}
	});
	const packetsOf = (code: string) => {
		const bytes = [...Buffer.from(code)];
		const count = Math.max(1, Math.ceil(bytes.length / partBytes));
		return Array.from({ length: count }, (_, n) => {
			const data = [qrCode, ...bytes.slice(n * partBytes, (n + 1) * partBytes)];
			return (again: boolean) => packet(0xf3, (again ? 1 : 0) | (n < count - 1 ? 2 : 0), data);
		});
	};
	return {
		...{ path: pty.path, pty, beeps },
		present: async (code) => {
			for (const make of packetsOf(code)) {
				for (let tries = 0; tries < triesMax; tries += 1) {
					const answered = new Promise<boolean>((resolve) => {
						acked = () => resolve(true);
					});
					await pty.write(make(tries > 0));
					if (await Promise.race([answered, delay(ackWaitMs, false)])) break;
				}
			}
		},
		tear: async (code) => void (await pty.write(packetsOf(code)[0]?.(false) ?? '')),
		hang: () => {
			hangs = true;
		},
		loseAcks: (count) => {
			lost = count;
		},
		close: () => pty.close(),
	};
}

/** A packet of the decoder: length, opcode, source 0, status, data, two's complement of the sum. */
function packet(opcode: number, status: number, data: readonly number[]): Uint8Array {
	const body = [4 + data.length, opcode, 0, status, ...data];
	const sum = (0x1_0000 - (body.reduce((all, byte) => all + byte, 0) & 0xffff)) & 0xffff;
	return Uint8Array.of(...body, sum >> 8, sum & 0xff);
}
