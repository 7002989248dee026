import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The figures of a server. */
export interface ServerMetrics {
	readonly claims: Counter<'result'>;
	readonly rows: Counter<'outcome'>;
	readonly requestSeconds: Histogram<'route' | 'status'>;
	/** Adds a figure that is asked for at each reading. */
	gauge(name: string, help: string, read: () => number | Promise<number>): void;
	/** Everything as Prometheus text. */
	text(): Promise<string>;
}

/** Makes the figures; the two functions are asked at each reading. */
export function createMetrics(now: {
	readonly listeners: () => number;
	readonly rowsWaiting: () => number;
}): ServerMetrics {
	const registers = [new Registry()];
	const gauge: ServerMetrics['gauge'] = (name, help, read) =>
		void new Gauge({
			name,
			help,
			registers,
			async collect() {
				this.set(await read());
			},
		});
	gauge('stileward_server_feed_listeners', 'Devices that hear the feed now.', now.listeners);
	gauge('stileward_server_rows_waiting', 'Journal rows that wait for the store.', now.rowsWaiting);
	return {
		gauge,
		claims: new Counter({
			name: 'stileward_server_claims_total',
			help: 'Claims by result.',
			labelNames: ['result'],
			registers,
		}),
		rows: new Counter({
			name: 'stileward_server_rows_total',
			help: 'Journal rows taken, by outcome of their segment.',
			labelNames: ['outcome'],
			registers,
		}),
		requestSeconds: new Histogram({
			name: 'stileward_server_request_seconds',
			help: 'Time to answer, by route.',
			labelNames: ['route', 'status'],
			buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
			registers,
		}),
		text: async () => (await Promise.all(registers.map((each) => each.metrics()))).join('\n'),
	};
}
