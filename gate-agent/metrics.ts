import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { VenueHealth } from './venue-link.ts';

/** The figures of an agent in Prometheus' form. Labels are closed sets: lanes, reasons, rungs, devices, alarms. */
export interface Metrics {
	readonly scans: Counter<'lane'>;
	readonly admissions: Counter<'lane' | 'rung'>;
	readonly refusals: Counter<'lane' | 'reason'>;
	readonly settlements: Counter<'lane' | 'outcome'>;
	readonly passages: Counter<'lane' | 'during'>;
	readonly decisionSeconds: Histogram<'lane'>;
	readonly deviceUp: Gauge<'device'>;
	readonly alarm: Gauge<'lane' | 'alarm'>;
	readonly clockTrusted: Gauge;
	readonly ledgerPending: Gauge;
	/** How the gate stands with its venue's server. */
	venue(health: VenueHealth): void;
	/** Names what brings the gauges up to date before they are read. */
	updateWith(update: () => void): void;
	render(): Promise<{ contentType: string; body: string }>;
}

/** Makes the metrics of one agent, in a registry of its own. */
export function createMetrics(): Metrics {
	const registry = new Registry();
	const registers = [registry];
	let update = (): void => undefined;
	collectDefaultMetrics({ register: registry });
	const venue = venueGauges(registers);
	return {
		scans: new Counter({ name: 'stileward_scans_total', help: 'Codes read.', labelNames: ['lane'], registers }),
		admissions: new Counter({
			name: 'stileward_admissions_total',
			help: 'Grants by how they were allowed.',
			labelNames: ['lane', 'rung'],
			registers,
		}),
		refusals: new Counter({
			name: 'stileward_refusals_total',
			help: 'Refused scans by reason.',
			labelNames: ['lane', 'reason'],
			registers,
		}),
		settlements: new Counter({
			name: 'stileward_settlements_total',
			help: 'Ended grants by outcome.',
			labelNames: ['lane', 'outcome'],
			registers,
		}),
		passages: new Counter({
			name: 'stileward_passages_total',
			help: 'Passages without a grant.',
			labelNames: ['lane', 'during'],
			registers,
		}),
		decisionSeconds: new Histogram({
			name: 'stileward_decision_seconds',
			help: 'From the scan to the relay command or the refusal.',
			labelNames: ['lane'],
			buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 1],
			registers,
		}),
		deviceUp: new Gauge({
			name: 'stileward_device_up',
			help: '1 while a device is open.',
			labelNames: ['device'],
			registers,
		}),
		alarm: new Gauge({
			name: 'stileward_alarm',
			help: '1 while an alarm is on.',
			labelNames: ['lane', 'alarm'],
			registers,
		}),
		clockTrusted: new Gauge({ name: 'stileward_clock_trusted', help: '1 while the clock is trusted.', registers }),
		ledgerPending: new Gauge({ name: 'stileward_ledger_pending', help: 'Writes that wait for the disk.', registers }),
		venue,
		updateWith: (next) => {
			update = next;
		},
		render: async () => {
			update();
			return { contentType: registry.contentType, body: await registry.metrics() };
		},
	};
}

/** Gauges that only a gate with a server shows: they are made with the first figures. */
function venueGauges(registers: Registry[]): (health: VenueHealth) => void {
	let gauges: Readonly<Record<'online' | 'reachable' | 'waiting' | 'age', Gauge>> | undefined;
	const make = () => ({
		online: new Gauge({ name: 'stileward_venue_online', help: '1 while the feed is followed.', registers }),
		reachable: new Gauge({ name: 'stileward_authority_reachable', help: '1 while claims are answered.', registers }),
		waiting: new Gauge({ name: 'stileward_rows_waiting', help: 'Journal rows that the server has not.', registers }),
		age: new Gauge({ name: 'stileward_list_age_seconds', help: 'Since the lists were confirmed.', registers }),
	});
	return ({ state, authority, waiting, listAgeMs }) => {
		gauges ??= make();
		gauges.online.set(state === 'online' ? 1 : 0);
		gauges.reachable.set(authority === 'reachable' ? 1 : 0);
		gauges.waiting.set(waiting);
		gauges.age.set((listAgeMs ?? Number.POSITIVE_INFINITY) / 1000);
	};
}
