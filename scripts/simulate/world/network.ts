import type { HttpCall, HttpReply, HttpStream, Transport } from '../../../sync/client/transport.ts';
import type { Chance } from '../runtime/chance.ts';
import type { VirtualProcess, VirtualTime } from '../runtime/virtual-time.ts';
import { createPipe } from './stream-pipe.ts';

/** What a link does to what goes through it. Changed at any time. */
export interface Weather {
	/** `refused`: nobody answers, and the caller knows at once. `hang`: nobody knows. `captive`: a portal answers. */
	link: 'up' | 'refused' | 'hang' | 'captive';
	/** Shares of calls that break before they arrive, and after they were carried out. */
	breaksBefore: number;
	breaksAfter: number;
	/** Share of calls that arrive so late that hardly anybody waits any more. */
	late: number;
	/** Share of calls that arrive twice, the second time later: a proxy has repeated them. */
	twice: number;
	/** Share of calls whose answer never comes, though the connection stays. */
	silent: number;
	/** One way, uniform between the two. With different delays calls overtake each other. */
	delayMs: readonly [number, number];
}

/** A good line. */
export const clearWeather: Weather = {
	link: 'up',
	breaksBefore: 0,
	breaksAfter: 0,
	late: 0,
	twice: 0,
	silent: 0,
	delayMs: [1, 3],
};

/** A server as the network reaches it. Both calls reject where the server is down or dies over them. */
export interface Host {
	readonly name: string;
	handle(call: HttpCall): Promise<HttpReply>;
	open(call: HttpCall): Promise<HostStream>;
}

/** A stream at its source. */
export interface HostStream {
	readonly status: number;
	readonly contentType: string;
	/** Whole text of an answer that is no stream, or chunks as they come. */
	readonly source: AsyncIterable<Uint8Array>;
	/** Tells the server that nobody listens any more. */
	close(): void;
}

/** What was seen on the wire. */
export interface Wire {
	/** A call has reached a server. */
	arrived?(device: string, host: string, call: HttpCall): void;
	/** A server's answer has reached the device. */
	answered?(device: string, call: HttpCall, reply: HttpReply): void;
}

/** How one device is connected. */
export interface Link {
	weather: Weather;
	/** The server that its calls reach now. */
	host: Host;
}

/** How long a late call is under way, and how much later a repeated one comes. */
const lateMs = [400, 12_000] as const;
const againMs = [1, 6_000] as const;

const portal: HttpReply = { status: 200, contentType: 'text/html', text: '<h1>Free Wi-Fi</h1>' };

/** What a link needs of the world. */
export interface LinkOptions {
	readonly device: string;
	/** The device's running program: what comes for one that has died is lost. */
	readonly process: VirtualProcess;
	readonly link: Link;
	readonly time: VirtualTime;
	readonly chance: Chance;
	readonly wire: Wire;
	readonly streams: boolean;
}

/** The transport of one device's program over its link. */
export function createLinkTransport(options: LinkOptions): Transport {
	const send = (call: HttpCall) => new Promise<HttpReply>((...ends) => exchange(options, call, ends));
	return options.streams ? { send, open: (call) => openStream(options, call) } : { send };
}

type Ends = readonly [resolve: (reply: HttpReply) => void, reject: (error: Error) => void];

/** One question and its answer, each with its own way. */
function exchange(options: LinkOptions, call: HttpCall, [resolve, reject]: Ends): void {
	const { device, process, link, time, chance, wire } = options;
	const fate = fateOf(link.weather, chance);
	// Everything on the way belongs to nobody: it arrives although its sender has died.
	time.outside(() => {
		const toSender = (act: () => void) => {
			if (process.isAlive) process.run(act);
		};
		const breakOff = () => travel(options, () => toSender(() => reject(new Error('connection reset'))));
		const arrive = (isFirst: boolean) => {
			if (link.weather.link === 'hang') return;
			if (link.weather.link === 'refused') {
				if (isFirst) breakOff();
				return;
			}
			const { host } = link;
			wire.arrived?.(device, host.name, call);
			host.handle(overTheWire(call)).then(
				(reply) => {
					if (!isFirst || fate === 'silent') return;
					if (fate === 'breaks_after') return breakOff();
					travel(options, () => {
						if (link.weather.link === 'hang') return;
						toSender(() => {
							wire.answered?.(device, call, reply);
							resolve(reply);
						});
					});
				},
				() => {
					if (isFirst) breakOff();
				},
			);
		};
		if (link.weather.link === 'captive') return travel(options, () => toSender(() => resolve(portal)));
		if (fate === 'breaks_before') return breakOff();
		if (fate === 'late') return void time.after(chance.between(...lateMs), () => arrive(true));
		travel(options, () => arrive(true));
		if (fate === 'twice') time.after(chance.between(...againMs), () => arrive(false));
		return undefined;
	});
}

type Fate = 'passes' | 'breaks_before' | 'breaks_after' | 'late' | 'twice' | 'silent';

function fateOf(weather: Weather, chance: Chance): Fate {
	const { breaksBefore, breaksAfter, late, twice, silent } = weather;
	const bad = breaksBefore + breaksAfter + late + twice + silent;
	return chance.weighted({
		breaks_before: breaksBefore,
		breaks_after: breaksAfter,
		late,
		twice,
		silent,
		passes: Math.max(0, 1 - bad),
	});
}

function travel({ link, time, chance }: LinkOptions, act: () => void): void {
	time.after(chance.between(...link.weather.delayMs), act);
}

/** What travels is text: a server that kept an object of its client, or the reverse, would hide a bug. */
function overTheWire(call: HttpCall): HttpCall {
	return { ...call, ...(call.body !== undefined && { body: JSON.parse(JSON.stringify(call.body)) }) };
}

async function openStream(options: LinkOptions, call: HttpCall): Promise<HttpStream> {
	const { device, process, link, time, wire } = options;
	return new Promise((resolve, reject) => {
		time.outside(() =>
			travel(options, () => {
				if (link.weather.link === 'hang') return;
				const toSender = (act: () => void) => {
					if (process.isAlive) process.run(act);
				};
				const fail = () => toSender(() => reject(new Error('connection reset')));
				if (link.weather.link !== 'up') return fail();
				wire.arrived?.(device, link.host.name, call);
				link.host.open(overTheWire(call)).then((stream) => {
					const pipe = createPipe({ ...options, stream, signal: call.signal });
					travel(options, () =>
						toSender(() => resolve({ status: stream.status, contentType: stream.contentType, chunks: pipe })),
					);
				}, fail);
			}),
		);
	});
}
