import { setTimeout as delay } from 'node:timers/promises';
import { StilewardError } from '../core/errors.ts';
import { openMbapLine } from './mbap-line.ts';
import {
	createReplyReader,
	encodeRequest,
	exceptionName,
	type ModbusReply,
	type ModbusRequest,
} from './modbus-frame.ts';
import { openSerialPort, type SerialEvents, type SerialLine } from './serial-port.ts';
import { openTcpLine, type TcpOptions } from './tcp-line.ts';

/** How a bus is reached. Two devices on one bus must agree. */
export type BusOptions = SerialBusOptions | TcpBusOptions;

/** An RS-485 port of this machine. */
export interface SerialBusOptions {
	readonly path: string;
	readonly baudRate: number;
	readonly parity?: 'none' | 'even' | 'odd';
	readonly stopBits?: 1 | 2;
}

/** A board or an adapter behind Ethernet: `rtu` are the bytes of the serial line, `mbap` is Modbus/TCP. */
export interface TcpBusOptions extends TcpOptions {
	readonly framing: 'rtu' | 'mbap';
}

/** What a bus is called, and known by. */
export function busPath(options: BusOptions): string {
	return 'host' in options ? `tcp://${options.host}:${options.port}` : options.path;
}

/** One question on the bus. */
export interface ModbusCall {
	readonly unit: number;
	readonly request: ModbusRequest;
	/** Goes before everything that is not urgent: a pulse or an emergency. It never interrupts a frame on the wire. */
	readonly urgent?: boolean;
	/** From the last byte sent to the last byte of the reply, ms. */
	readonly timeoutMs?: number;
	/** Attempts in all. Reads are tried twice, writes once: the station may have obeyed a write that it never confirmed. */
	readonly tries?: number;
}

/**
 * The one owner of an RS-485 port. Its law: one request is on the wire at a time; frames are parted by silence;
 * every call settles; once the port is lost every call rejects with `device_lost`.
 */
export interface ModbusBus {
	readonly path: string;
	/** Resolves once with `device_lost` when the port went away. */
	readonly lost: Promise<StilewardError>;
	/**
	 * The bits of a read, or nothing for a confirmed write. Rejects with `device_timeout` (silence),
	 * `device_protocol` (an exception, or bytes that are no reply), `device_lost` or `device_busy` (queue full).
	 */
	ask(call: ModbusCall): Promise<readonly boolean[]>;
	/** Ends the port. Calls still waiting reject with `device_lost`. */
	close(): Promise<void>;
}

/** Calls that may wait. Two boards with their heartbeats never have more than a handful. */
export const queueMax = 32;
/** The default of `ModbusCall.timeoutMs`. Boards answer within 20 ms; a USB adapter adds 16. */
export const replyTimeoutMs = 200;
/** How long the kernel may take to accept a frame of 8 bytes. */
const writeTimeoutMs = 500;
/** After a failed attempt the line must be quiet for this long: a late reply must not answer the next question. */
const resyncMs = 40;
/** A line that never falls silent is used all the same after this time, so that a babbler cannot hold a pulse back for ever. */
const babbleMs = 100;

/** 3.5 characters of 11 bits, and never less than 1.75 ms (MODBUS over Serial Line V1.02, section 2.5.1.1). */
export function silenceMs(baudRate: number): number {
	return baudRate > 19_200 ? 1.75 : (3.5 * 11 * 1000) / baudRate;
}

interface Job {
	readonly call: ModbusCall;
	triesLeft: number;
	settle(result: readonly boolean[] | StilewardError): void;
}

function openLine(options: BusOptions, on: SerialEvents): Promise<SerialLine> {
	if (!('host' in options)) return openSerialPort(options, on);
	return options.framing === 'mbap' ? openMbapLine(options, on) : openTcpLine(options, on);
}

/** Ethernet parts its frames itself; the silence is for the serial line behind an adapter. */
const tcpSilenceMs = 2;

/** Opens the port and owns it until `close`. Rejects as `openSerialPort` and `openTcpLine` do. */
export async function openModbusBus(options: BusOptions): Promise<ModbusBus> {
	const wire = createWire();
	const line = await openLine(options, { data: wire.received });
	const path = busPath(options);
	const silence = 'host' in options ? tcpSilenceMs : silenceMs(options.baudRate);
	const urgent: Job[] = [];
	const normal: Job[] = [];
	let ended: StilewardError | undefined;
	let running = false;

	const end = (reason: StilewardError) => {
		ended ??= reason;
		wire.end(ended);
		for (const job of [...urgent.splice(0), ...normal.splice(0)]) job.settle(ended);
		return ended;
	};
	const lost = line.lost.then(end);

	const attempt = async (job: Job) => {
		const { unit, request, timeoutMs = replyTimeoutMs } = job.call;
		await wire.quiet(silence);
		const reply = wire.expect(unit, request);
		try {
			await line.write(encodeRequest(unit, request), writeTimeoutMs);
			return outcome(await reply.within(timeoutMs), reply.seen(), job.call);
		} catch (error) {
			return error instanceof StilewardError
				? error
				: new StilewardError('device_lost', 'write failed', { cause: error });
		} finally {
			reply.forget();
		}
	};
	const pump = async () => {
		if (running) return;
		running = true;
		for (let job = urgent.shift() ?? normal.shift(); job !== undefined; job = urgent.shift() ?? normal.shift()) {
			const result = ended ?? (await attempt(job));
			job.triesLeft--;
			const again = result instanceof StilewardError && job.triesLeft > 0 && ended === undefined && !isRefusal(result);
			// A retry waits its turn at the head of its class, so that a pulse can go between two attempts of a poll.
			if (again) (job.call.urgent ? urgent : normal).unshift(job);
			else job.settle(ended ?? result);
		}
		running = false;
	};

	return {
		path,
		lost,
		ask(call) {
			if (ended) return Promise.reject(ended);
			if (urgent.length + normal.length >= queueMax) {
				return Promise.reject(new StilewardError('device_busy', `${queueMax} requests already wait for ${path}`));
			}
			return new Promise((resolve, reject) => {
				const tries = call.tries ?? (call.request.kind === 'write_coil' ? 1 : 2);
				const settle: Job['settle'] = (result) => (result instanceof StilewardError ? reject(result) : resolve(result));
				(call.urgent ? urgent : normal).push({ call, triesLeft: tries, settle });
				void pump();
			});
		},
		async close() {
			end(new StilewardError('device_lost', `${path} was closed`));
			await line.close();
		},
	};
}

/** An exception is the station's considered answer: asking again gives the same. */
class StationRefusal extends StilewardError {}

function isRefusal(error: StilewardError): boolean {
	return error instanceof StationRefusal;
}

function outcome(reply: ModbusReply | undefined, seen: number, call: ModbusCall): readonly boolean[] | StilewardError {
	const station = `station ${call.unit}`;
	if (reply === undefined) {
		if (seen === 0) return new StilewardError('device_timeout', `${station} is silent (${call.request.kind})`);
		return new StilewardError('device_protocol', `${station}: ${seen} bytes, but no reply to ${call.request.kind}`);
	}
	if (reply.kind === 'exception') {
		return new StationRefusal(
			'device_protocol',
			`${station} refuses ${call.request.kind}: ${exceptionName(reply.code)}`,
		);
	}
	return reply.kind === 'bits' ? reply.bits : [];
}

interface ExpectedReply {
	/** The reply, or undefined when the time is over. Rejects when the port ends. */
	within(timeoutMs: number): Promise<ModbusReply | undefined>;
	seen(): number;
	/** Later bytes belong to nobody. A reply that was not complete makes the line rest before the next frame. */
	forget(): void;
}

/** What is heard on the wire: bytes outside an expected reply are dropped, but they postpone the next frame. */
function createWire() {
	let heardAtMs = Number.NEGATIVE_INFINITY;
	let restMs = 0;
	let listener: ((bytes: Uint8Array) => void) | undefined;
	let onEnd: ((error: StilewardError) => void) | undefined;

	return {
		received(bytes: Uint8Array) {
			heardAtMs = performance.now();
			listener?.(bytes);
		},
		end: (error: StilewardError) => onEnd?.(error),
		async quiet(silence: number) {
			const deadline = performance.now() + babbleMs;
			for (;;) {
				const now = performance.now();
				const left = Math.min(heardAtMs + Math.max(silence, restMs) - now, deadline - now);
				if (left <= 0) break;
				await delay(Math.ceil(left));
			}
			restMs = 0;
		},
		expect(unit: number, request: ModbusRequest): ExpectedReply {
			const reader = createReplyReader(unit, request);
			let answer: ModbusReply | undefined;
			let answered = (_reply: ModbusReply) => {};
			listener = (bytes) => {
				if (answer !== undefined) return;
				answer = reader.push(bytes);
				if (answer !== undefined) answered(answer);
			};
			return {
				within: (timeoutMs) =>
					new Promise((resolve, reject) => {
						if (answer !== undefined) return resolve(answer);
						const timer = setTimeout(() => resolve(undefined), timeoutMs);
						answered = (reply) => {
							clearTimeout(timer);
							resolve(reply);
						};
						onEnd = (error) => {
							clearTimeout(timer);
							reject(error);
						};
					}),
				seen: () => reader.seen,
				forget() {
					listener = undefined;
					onEnd = undefined;
					heardAtMs = performance.now();
					restMs = answer === undefined ? resyncMs : 0;
				},
			};
		},
	};
}
