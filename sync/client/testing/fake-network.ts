import type { HttpCall, HttpReply, HttpStream, Transport } from '../transport.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What a network does to what goes through it. May be changed at any time. */
export interface Weather {
	/** `hang`: nothing is ever answered, and nothing says so. `captive`: a portal answers everything with its page. */
	link: 'up' | 'down' | 'hang' | 'captive';
	/** Shares of calls whose question, or whose answer, is lost. A lost answer was carried out. */
	lossBefore: number;
	lossAfter: number;
	/** Share of calls that arrive twice, the second time after everything sent meanwhile. */
	duplicate: number;
	/** One way, uniform between the two: with different delays calls overtake each other. */
	delayMs: readonly [number, number];
	/** A proxy that holds streams back. */
	buffersStreams: boolean;
}

/** A clear day. */
export function clearWeather(): Weather {
	return { link: 'up', lossBefore: 0, lossAfter: 0, duplicate: 0, delayMs: [1, 1], buffersStreams: false };
}

/** A server behind a network. */
export interface FakeServer {
	handle(call: HttpCall): Promise<HttpReply>;
	stream(call: HttpCall): HttpStream;
}

/** What a network between a device and a server needs. */
export interface FakeNetworkOptions {
	readonly server: FakeServer;
	readonly weather: Weather;
	readonly clock: VirtualClock;
	/** Uniform in [0, 1). */
	readonly random: () => number;
	readonly streams: boolean;
}

/** A transport through a network that loses, delays, doubles and lies as its weather says. */
export function createFakeNetwork(options: FakeNetworkOptions): Transport {
	const { server, weather, clock, random } = options;
	const happens = (share: number) => random() < share;

	async function travel(): Promise<void> {
		const [least, most] = weather.delayMs;
		await clock.sleep(least + random() * (most - least));
		if (weather.link === 'hang') await new Promise(() => {});
		if (weather.link === 'down') throw new Error('connection refused');
	}

	async function send(call: HttpCall): Promise<HttpReply> {
		await travel();
		if (weather.link === 'captive') return { status: 200, contentType: 'text/html', text: '<h1>Free Wi-Fi</h1>' };
		if (happens(weather.lossBefore)) throw new Error('connection reset');
		if (happens(weather.duplicate))
			void travel().then(
				() => server.handle(call),
				() => undefined,
			);
		// What travels is text: a server that keeps an object of its client, or the reverse, would hide a bug.
		const arrived: HttpCall = {
			...call,
			...(call.body !== undefined && { body: JSON.parse(JSON.stringify(call.body)) }),
		};
		const reply = await server.handle(arrived);
		await travel();
		if (happens(weather.lossAfter)) throw new Error('connection reset');
		return reply;
	}

	async function open(call: HttpCall): Promise<HttpStream> {
		await travel();
		if (weather.link === 'captive') return { status: 200, contentType: 'text/html', chunks: none() };
		const { chunks, ...head } = server.stream(call);
		return { ...head, chunks: passed(chunks) };
	}

	async function* passed(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
		for await (const chunk of chunks) {
			if (weather.buffersStreams) await new Promise(() => {});
			await travel();
			yield chunk;
		}
	}

	return options.streams ? { send, open } : { send };
}

async function* none(): AsyncIterable<Uint8Array> {}
