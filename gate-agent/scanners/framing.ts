/** How a scanner marks where a code begins and ends. All sizes in bytes, without prefix and suffix. */
export interface Framing {
	/** Empty: a code begins with its first byte. */
	readonly prefix: Uint8Array;
	/** Empty: a code ends by silence alone. */
	readonly suffix: Uint8Array;
	readonly frameBytesMax: number;
}

/** What lies between two calls of `feed`: never more than one frame and its suffix. */
export interface FramingState {
	readonly kind: 'between' | 'frame' | 'oversize';
	readonly pending: Uint8Array;
}

/**
 * What was found: the bytes of one code, or the news that there was none. A run without an end gives one
 * `oversize`, when it passes the limit; `torn` gives the bytes that came before a silence.
 */
export type Frame =
	| { readonly kind: 'frame'; readonly bytes: Uint8Array }
	| { readonly kind: 'oversize' | 'torn'; readonly length: number };

/** Before the first byte. */
export const framingStart: FramingState = { kind: 'between', pending: new Uint8Array(0) };

/** Fewer bytes than this before a silence are noise of the line and not a torn code: no code is that short. */
const tornBytesMin = 8;

const CR = 0x0d;
const LF = 0x0a;

/**
 * Takes the next bytes, however they are cut, and gives the frames that they complete. It decides byte by byte, so
 * any chunking of a stream gives the same frames. Nothing is trimmed but the framing itself; where a line end is the
 * suffix, CR and LF beside it belong to it, because modules set to CR often send CR LF. Empty frames are none.
 */
export function feed(framing: Framing, state: FramingState, bytes: Uint8Array): [FramingState, readonly Frame[]] {
	const cursor = resume(framing, state);
	const frames: Frame[] = [];
	for (const byte of bytes) {
		const frame = take(framing, cursor, byte);
		if (frame !== undefined) frames.push(frame);
	}
	return [{ kind: cursor.kind, pending: cursor.buffer.slice(0, cursor.length) }, frames];
}

/**
 * Ends what is pending because the line fell silent: without a suffix it is a code, with one it was torn and must
 * not join the next code.
 */
export function expire(framing: Framing, state: FramingState): [FramingState, readonly Frame[]] {
	const { kind, pending } = state;
	if (kind !== 'frame' || pending.length === 0) return [framingStart, []];
	if (framing.suffix.length === 0) return [framingStart, [{ kind: 'frame', bytes: pending }]];
	return [framingStart, pending.length < tornBytesMin ? [] : [{ kind: 'torn', length: pending.length }]];
}

/** Whether a silence would change the state: only then a timer is needed. */
export function awaitsMore(state: FramingState): boolean {
	return state.kind !== 'between' || state.pending.length > 0;
}

/** The state while `feed` runs: `buffer` holds a frame and its suffix, or the tail that may become a mark. */
interface Cursor {
	kind: FramingState['kind'];
	readonly buffer: Uint8Array;
	length: number;
}

function resume(framing: Framing, state: FramingState): Cursor {
	const buffer = new Uint8Array(framing.frameBytesMax + framing.suffix.length + framing.prefix.length + 1);
	buffer.set(state.pending);
	return { kind: state.kind, buffer, length: state.pending.length };
}

function take(framing: Framing, cursor: Cursor, byte: number): Frame | undefined {
	switch (cursor.kind) {
		case 'between':
			return takeBetween(framing, cursor, byte);
		case 'frame':
			return takeInFrame(framing, cursor, byte);
		case 'oversize':
			return takeOversize(framing, cursor, byte);
	}
}

function takeBetween(framing: Framing, cursor: Cursor, byte: number): Frame | undefined {
	if (framing.prefix.length === 0) {
		if (endsLine(framing.suffix) && (byte === CR || byte === LF)) return undefined;
		begin(cursor, 'frame');
		return takeInFrame(framing, cursor, byte);
	}
	slide(cursor, byte, framing.prefix.length);
	if (endsWith(cursor, framing.prefix)) begin(cursor, 'frame');
	return undefined;
}

function takeInFrame(framing: Framing, cursor: Cursor, byte: number): Frame | undefined {
	cursor.buffer[cursor.length++] = byte;
	if (endsWith(cursor, framing.suffix)) return complete(framing, cursor);
	if (restarts(framing, byte)) {
		begin(cursor, 'frame');
	} else if (cursor.length > framing.frameBytesMax + Math.max(framing.suffix.length - 1, 0)) {
		// The first bytes of the suffix may be among the last ones.
		const tail = Math.max(framing.suffix.length - 1, 0);
		cursor.buffer.copyWithin(0, cursor.length - tail, cursor.length);
		begin(cursor, 'oversize');
		cursor.length = tail;
		return { kind: 'oversize', length: framing.frameBytesMax + 1 };
	}
	return undefined;
}

function takeOversize(framing: Framing, cursor: Cursor, byte: number): undefined {
	slide(cursor, byte, framing.suffix.length);
	if (endsWith(cursor, framing.suffix)) begin(cursor, 'between');
	else if (restarts(framing, byte)) begin(cursor, 'frame');
}

function complete(framing: Framing, cursor: Cursor): Frame | undefined {
	let length = cursor.length - framing.suffix.length;
	if (isLineFeed(framing.suffix) && cursor.buffer[length - 1] === CR) length--;
	const bytes = cursor.buffer.slice(0, length);
	begin(cursor, 'between');
	return length === 0 ? undefined : { kind: 'frame', bytes };
}

function begin(cursor: Cursor, kind: FramingState['kind']): void {
	cursor.kind = kind;
	cursor.length = 0;
}

/** Keeps the last `size` bytes. */
function slide(cursor: Cursor, byte: number, size: number): void {
	if (size === 0) return;
	if (cursor.length === size) {
		cursor.buffer.copyWithin(0, 1, size);
		cursor.length--;
	}
	cursor.buffer[cursor.length++] = byte;
}

function endsWith(cursor: Cursor, mark: Uint8Array): boolean {
	const start = cursor.length - mark.length;
	return mark.length > 0 && start >= 0 && mark.every((byte, index) => cursor.buffer[start + index] === byte);
}

/** A control character such as STX is in no code: where it is the prefix, it begins a new code whatever came before. */
function restarts({ prefix }: Framing, byte: number): boolean {
	return prefix.length === 1 && prefix[0] === byte && byte < 0x20;
}

function endsLine(suffix: Uint8Array): boolean {
	return suffix.length > 0 && suffix.every((byte) => byte === CR || byte === LF);
}

function isLineFeed(suffix: Uint8Array): boolean {
	return suffix.length === 1 && suffix[0] === LF;
}
