import type { EmulatedLine } from './pty.ts';
import { type CoilEdge, createRelayContacts, type RelayContacts } from './relay-board.ts';

/** What the board or its line does to one reply. It obeys the request unless it is `deaf`. */
export type ReplyFault =
	/** Neither obeys nor answers: the request was lost. */
	| { readonly kind: 'deaf' }
	/** Obeys, but the answer is lost. */
	| { readonly kind: 'mute' }
	| { readonly kind: 'bad_crc' }
	/** Noise instead of the answer. */
	| { readonly kind: 'garbage'; readonly bytes: Uint8Array }
	/** Noise, then the answer. */
	| { readonly kind: 'noise_before'; readonly bytes: Uint8Array }
	/** The answer in two parts, so many milliseconds apart. */
	| { readonly kind: 'torn'; readonly gapMs: number }
	| { readonly kind: 'late'; readonly ms: number }
	/** Refuses with a Modbus exception instead of obeying. */
	| { readonly kind: 'exception'; readonly code: number }
	/** Answers a write well, but its armature is stuck. */
	| { readonly kind: 'stuck' };

/** A Waveshare Modbus RTU relay board with as many inputs as relays, behind an RS-485 adapter. */
export interface WaveshareEmulator {
	/** Every request for this board whose CRC was right, as hexadecimal text. */
	readonly requests: readonly { readonly atMs: number; readonly hex: string }[];
	readonly edges: readonly CoilEdge[];
	isClosed(channel: number): boolean;
	/** Wires an input: true is a contact that conducts. */
	setInput(channel: number, active: boolean): void;
	/** The next replies suffer these faults, one each, counted over requests that `of` selects (all by default). */
	inject(faults: readonly ReplyFault[], of?: (hex: string) => boolean): void;
	/** Switches the board's own supply: without it the coils fall open, its timers forget, and it is silent. */
	setPower(on: boolean): void;
	/** Pulls the USB plug of the RS-485 adapter: the board keeps its coils and its timers run on. */
	unplug(): Promise<void>;
	replug(): Promise<void>;
}

/** How an emulated board is built. */
export interface WaveshareOptions {
	readonly unit?: number;
	readonly channels?: number;
	/** From the end of a request to the first byte of the answer, ms. */
	readonly turnaroundMs?: number;
	readonly onCoil?: (channel: number, closed: boolean) => void;
	readonly nowMs?: () => number;
}

/** A request that stops in the middle is forgotten after this silence, ms. */
const staleMs = 50;
/** Requests that the board remembers; the oldest go first. */
const requestsMax = 10_000;

/** Puts a board behind a line. Functions: 01, 02, 05 (with flash on and off) and 0F, as in its manual. */
export function emulateWaveshare(line: EmulatedLine, options: WaveshareOptions = {}): WaveshareEmulator {
	const { unit = 1, channels = 8, turnaroundMs = 1, onCoil = () => {}, nowMs = () => performance.now() } = options;
	const contacts = createRelayContacts(channels, onCoil, nowMs);
	const inputs = new Set<number>();
	const requests: { atMs: number; hex: string }[] = [];
	const timers = new Map<number, NodeJS.Timeout>();
	let faults: ReplyFault[] = [];
	let selects: (hex: string) => boolean = () => true;
	let powered = true;
	let buffer: readonly number[] = [];
	let heardAtMs = 0;

	const flash = (channel: number, closed: boolean, ms: number) => {
		clearTimeout(timers.get(channel));
		contacts.move(channel, closed);
		timers.set(
			channel,
			setTimeout(() => contacts.move(channel, !closed), ms),
		);
	};
	const board: Board = { channels, contacts, inputs, flash };
	const send = (bytes: Uint8Array, afterMs = turnaroundMs) => {
		// A reply to an adapter that was pulled meanwhile goes nowhere.
		setTimeout(() => void line.write(bytes).catch(() => {}), afterMs);
	};
	const answer = (request: readonly number[]) => {
		const hex = hexOf(request);
		requests.push({ atMs: nowMs(), hex });
		if (requests.length > requestsMax) requests.shift();
		const fault = selects(hex) ? faults.shift() : undefined;
		if (fault?.kind === 'deaf') return;
		const pdu = fault?.kind === 'exception' ? refuse(request[1] ?? 0, fault.code) : obey(request, board, fault);
		if (request[0] === 0 || fault?.kind === 'mute') return;
		spoil(seal([unit, ...pdu]), fault, send);
	};

	line.onData((bytes) => {
		const now = nowMs();
		const kept = now - heardAtMs > staleMs ? [] : buffer;
		heardAtMs = now;
		if (!powered) return;
		buffer = takeRequests([...kept, ...bytes], unit, answer);
	});
	return {
		requests,
		edges: contacts.edges,
		isClosed: contacts.isClosed,
		setInput(channel, active) {
			if (active) inputs.add(channel);
			else inputs.delete(channel);
		},
		inject(next, of = () => true) {
			faults = [...next];
			selects = of;
		},
		setPower(on) {
			powered = on;
			if (on) return;
			for (const timer of timers.values()) clearTimeout(timer);
			contacts.fallOpen();
		},
		unplug: () => line.unplug(),
		replug: () => line.replug(),
	};
}

interface Board {
	readonly channels: number;
	readonly contacts: RelayContacts;
	readonly inputs: ReadonlySet<number>;
	readonly flash: (channel: number, closed: boolean, ms: number) => void;
}

/** Cuts complete requests off the front; what remains is noise being skipped or a request still arriving. */
function takeRequests(bytes: number[], unit: number, answer: (request: readonly number[]) => void): readonly number[] {
	let rest = bytes;
	while (rest.length >= 8) {
		const length = rest[1] === 0x0f ? 9 + (rest[6] ?? 0) : 8;
		if (rest.length < length && rest[1] === 0x0f) break;
		const request = rest.slice(0, length);
		if (hexOf(seal(request.slice(0, -2))) !== hexOf(request)) {
			rest = rest.slice(1);
			continue;
		}
		rest = rest.slice(length);
		if (request[0] === unit || request[0] === 0) answer(request);
	}
	return rest;
}

/** Carries a request out and gives the PDU of its reply. */
function obey(request: readonly number[], board: Board, fault: ReplyFault | undefined): readonly number[] {
	const [, code = 0, a = 0, b = 0, c = 0, d = 0] = request;
	const [first, second] = [(a << 8) | b, (c << 8) | d];
	const question: Question = { code, first, second, echo: request.slice(1, 6), data: request.slice(6, -2) };
	if (code === 0x01) return readBits(question, board, (channel) => board.contacts.isClosed(channel));
	if (code === 0x02) return readBits(question, board, (channel) => board.inputs.has(channel));
	if (code === 0x05) return fault?.kind === 'stuck' ? question.echo : writeCoil(question, board);
	if (code === 0x0f) return writeCoils(question, board);
	return refuse(code, 1);
}

/** A request taken apart: its function, its two words, the echo of a write and what follows. */
interface Question {
	readonly code: number;
	readonly first: number;
	readonly second: number;
	readonly echo: readonly number[];
	readonly data: readonly number[];
}

function readBits(
	{ code, first: start, second: count }: Question,
	board: Board,
	isSet: (channel: number) => boolean,
): readonly number[] {
	if (count < 1 || start + count > board.channels) return refuse(code, 2);
	const bytes = new Array<number>(Math.ceil(count / 8)).fill(0);
	for (let i = 0; i < count; i++) if (isSet(start + i + 1)) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7));
	return [code, bytes.length, ...bytes];
}

/** Function 05: plain addresses switch, 0200 + n flashes on, 0400 + n flashes off, value × 100 ms; 00FF is all. */
function writeCoil({ first: address, second: value, echo }: Question, board: Board): readonly number[] {
	const channel = (address & 0xff) + 1;
	const page = address >> 8;
	if (page === 0x02 || page === 0x04) {
		if (channel > board.channels) return refuse(0x05, 2);
		if (value < 1 || value > 0x7fff) return refuse(0x05, 3);
		board.flash(channel, page === 0x02, value * 100);
		return echo;
	}
	if (page !== 0 || (channel > board.channels && address !== 0xff)) return refuse(0x05, 2);
	if (value !== 0xff00 && value !== 0x0000 && value !== 0x5500) return refuse(0x05, 3);
	const all = Array.from({ length: board.channels }, (_, i) => i + 1);
	for (const each of address === 0xff ? all : [channel]) {
		// A running flash keeps its timer: the worst that the manual leaves open.
		board.contacts.move(each, value === 0x5500 ? !board.contacts.isClosed(each) : value === 0xff00);
	}
	return echo;
}

function writeCoils({ first: start, second: count, echo, data }: Question, board: Board): readonly number[] {
	const [byteCount, ...bits] = data;
	if (count < 1 || start + count > board.channels) return refuse(0x0f, 2);
	if (byteCount !== Math.ceil(count / 8)) return refuse(0x0f, 3);
	for (let i = 0; i < count; i++) {
		board.contacts.move(start + i + 1, (((bits[i >> 3] ?? 0) >> (i & 7)) & 1) === 1);
	}
	return echo;
}

function refuse(code: number, exception: number): readonly number[] {
	return [code | 0x80, exception];
}

function spoil(reply: Uint8Array, fault: ReplyFault | undefined, send: (bytes: Uint8Array, afterMs?: number) => void) {
	switch (fault?.kind) {
		case 'bad_crc':
			return send(Uint8Array.from(reply, (byte, i) => (i === reply.length - 1 ? byte ^ 1 : byte)));
		case 'garbage':
			return send(fault.bytes);
		case 'noise_before':
			return send(Uint8Array.of(...fault.bytes, ...reply));
		case 'torn':
			send(reply.slice(0, 3));
			return send(reply.slice(3), fault.gapMs);
		case 'late':
			return send(reply, fault.ms);
		default:
			return send(reply);
	}
}

/** CRC by table: written apart from the driver's, so that a mistake there cannot agree with itself here. */
const crcTable = Uint16Array.from({ length: 256 }, (_, index) => {
	let value = index;
	for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xa001 : value >>> 1;
	return value;
});

function seal(body: readonly number[]): Uint8Array {
	const crc = body.reduce((sum, byte) => (sum >>> 8) ^ (crcTable[(sum ^ byte) & 0xff] ?? 0), 0xffff);
	return Uint8Array.of(...body, crc & 0xff, crc >>> 8);
}

function hexOf(bytes: Iterable<number>): string {
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
