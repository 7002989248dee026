import { StilewardError } from '../core/errors.ts';
import { openSerialPort } from '../serial/serial-port.ts';
import { encodeCommand, splitReplies } from './grow-gm-frame.ts';

/**
 * A module that answers on its line while it sends codes. Its law: one question is on the line at a time, each settles
 * within its time limit, and the bytes of codes are handed on in their order.
 */
export interface GrowGmLink {
	readonly lost: Promise<StilewardError>;
	/** Reads a zone, low byte first. Rejects with `device_timeout`, `device_lost` or `device_busy`. */
	read(zone: number, bytes: 1 | 2): Promise<number>;
	/** Writes a zone in the module's memory; `save` keeps it over a loss of power. */
	write(zone: number, bytes: 1 | 2, value: number): Promise<void>;
	/** Writes a zone without an answer: a module that changes its speed answers at the old one or the new one. */
	tell(zone: number, bytes: 1 | 2, value: number): Promise<void>;
	save(): Promise<void>;
	heartbeat(): Promise<void>;
	close(): Promise<void>;
}

/** Questions that may wait. A heartbeat and the two edges of OUT1 are three. */
export const questionsMax = 8;
/** Modules answer within 30 ms at 9600 baud, later while they decode. */
const answerTimeoutMs = 250;
/** Flash is slow. */
const saveTimeoutMs = 1000;
/** A module that sends a long code at 9600 baud cannot answer before its end. */
const heartbeatTimeoutMs = 1000;
const writeTimeoutMs = 500;
/** What may be the begin of a reply belongs to a code after this silence. */
const heldMs = 50;

/** Opens the line at one speed; whether a module is there is not asked. Rejects as `openSerialPort` does. */
export async function openGrowGmLink(
	options: { readonly path: string; readonly baudRate: number },
	onText: (bytes: Uint8Array) => void,
): Promise<GrowGmLink> {
	const stream = replyStream(onText);
	const line = await openSerialPort(options, { data: stream.push });
	let asking: Promise<unknown> = Promise.resolve();
	let waiting = 0;

	const ask = (command: Uint8Array, bytes: number, timeoutMs = answerTimeoutMs): Promise<Uint8Array> => {
		if (waiting >= questionsMax) {
			return Promise.reject(new StilewardError('device_busy', `${waiting} questions wait for ${options.path}`));
		}
		waiting += 1;
		const exchange = async () => {
			const answer = stream.expect(bytes, () => silent(options, timeoutMs), timeoutMs);
			// Both at once: a rejection of the answer must find its handler while the bytes still leave.
			const [data] = await Promise.all([answer, line.write(command, writeTimeoutMs)]).finally(stream.forget);
			return data;
		};
		const answer = asking.then(exchange).finally(() => {
			waiting -= 1;
		});
		asking = answer.catch(() => {});
		return answer;
	};
	const lost = line.lost.then((error) => {
		stream.end(error);
		return error;
	});
	return {
		lost,
		async read(zone, bytes) {
			const [low = 0, high = 0] = await ask(encodeCommand('read', zone, Uint8Array.of(bytes)), bytes);
			return low | (high << 8);
		},
		async write(zone, bytes, value) {
			await ask(encodeCommand('write', zone, littleEndian(value, bytes)), 1);
		},
		tell: (zone, bytes, value) => line.write(encodeCommand('write', zone, littleEndian(value, bytes)), writeTimeoutMs),
		async save() {
			await ask(encodeCommand('save'), 1, saveTimeoutMs);
		},
		async heartbeat() {
			await ask(encodeCommand('heartbeat'), 1, heartbeatTimeoutMs);
		},
		close() {
			stream.end(new StilewardError('device_lost', `${options.path} was closed`));
			return line.close();
		},
	};
}

/** Parts the answers from the codes; one answer is expected at a time, and one that nobody expects is dropped. */
function replyStream(onText: (bytes: Uint8Array) => void) {
	let held: Uint8Array = new Uint8Array(0);
	let heldTimer: NodeJS.Timeout | undefined;
	let answerTimer: NodeJS.Timeout | undefined;
	let answered: ((data: Uint8Array) => void) | undefined;
	let failed: ((error: StilewardError) => void) | undefined;

	const releaseHeld = () => {
		const bytes = held;
		held = new Uint8Array(0);
		onText(bytes);
	};
	const forget = () => {
		clearTimeout(answerTimer);
		answered = undefined;
		failed = undefined;
	};
	return {
		push(bytes: Uint8Array) {
			clearTimeout(heldTimer);
			const split = splitReplies(held.length === 0 ? bytes : Buffer.concat([held, bytes]));
			held = split.held;
			if (held.length > 0) heldTimer = setTimeout(releaseHeld, heldMs);
			if (split.text.length > 0) onText(split.text);
			for (const data of split.replies) answered?.(data);
		},
		expect: (bytes: number, silence: () => StilewardError, timeoutMs: number) =>
			new Promise<Uint8Array>((resolve, reject) => {
				answered = (data) => {
					if (data.length === bytes) resolve(data);
				};
				failed = reject;
				answerTimer = setTimeout(() => reject(silence()), timeoutMs);
			}),
		forget,
		/** Ends what waits; no byte is handed on afterwards. */
		end(error: StilewardError) {
			clearTimeout(heldTimer);
			failed?.(error);
		},
	};
}

function littleEndian(value: number, bytes: 1 | 2): Uint8Array {
	return bytes === 1 ? Uint8Array.of(value) : Uint8Array.of(value & 0xff, value >> 8);
}

function silent({ path, baudRate }: { path: string; baudRate: number }, timeoutMs: number): StilewardError {
	return new StilewardError('device_timeout', `${path} gave no answer within ${timeoutMs} ms at ${baudRate} baud`);
}
