import { createHmac } from 'node:crypto';
import type { LaneSettings } from './config.ts';
import { createAdmitter } from './core/admit.ts';
import type { AgentClock } from './core/agent-clock.ts';
import type { InputRole, InputStates, Relay, Signal } from './core/device.ts';
import { StilewardError } from './core/errors.ts';
import { classifyForeign } from './core/foreign-code.ts';
import type { LaneEffect, Screen } from './core/lane-state.ts';
import type { LaneMemory, Ledger } from './core/ledger.ts';
import type { ForeignTrace } from './core/redemption.ts';
import type { DeskWatch } from './gate-desk.ts';
import type { LaneRules } from './lane-rules.ts';
import { type LaneEvent, type LaneRuntime, runLane } from './lane-runtime.ts';
import type { LedgerWriter } from './ledger-writer.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { createRedemptionIds } from './redemption-ids.ts';

/** What the lanes of one agent share. */
export interface LaneShared {
	readonly agent: string;
	readonly rules: LaneRules;
	readonly ledger: Ledger;
	readonly writer: LedgerWriter;
	readonly clock: AgentClock;
	readonly metrics: Metrics;
	readonly log: Logger;
	/** Key of the venue for the traces of foreign codes. */
	readonly foreignKey: Uint8Array;
	readonly relay: (lane: string) => Relay | undefined;
	/** Lamps and scanners of a lane show it. */
	readonly signal: (lane: string, signal: Signal) => void;
	readonly publish: (lane: string, screen: Screen) => void;
	/** Told when a lane's emergency begins or ends, before its relay is. */
	readonly onEmergency: (lane: string, isOn: boolean) => void;
	readonly watch: Pick<DeskWatch, 'denied' | 'granted'>;
	/** Told of what people at the venue's server want to see soon: a mode, an alarm. */
	readonly changed: () => void;
}

/** Starts one lane of an agent on what the ledger remembers of it. */
export function startLane(settings: LaneSettings, memory: LaneMemory | undefined, shared: LaneShared): LaneRuntime {
	const { id, zone } = settings.lane;
	const { ledger, writer, clock } = shared;
	const log = shared.log.child({ lane: id });
	const nowMs = () => clock.read().nowMs;
	return runLane(settings.lane, memory, {
		admitter: createAdmitter({
			...shared.rules,
			ledger,
			agent: shared.agent,
			lane: { id, zone },
			clock: () => clock.read(),
			newRedemptionId: createRedemptionIds(),
			onError: (error) => log.error({ event: 'ledger_failed', ...problemOf(error) }),
		}),
		relay: () => shared.relay(id),
		coils: settings.relay,
		settle: (settlement) => writer.write('settlement', () => ledger.settle(settlement, nowMs())),
		record: (fact) => writer.write(fact.kind, () => ledger.record(fact, nowMs())),
		recordNow: (fact) => ledger.record(fact, nowMs()),
		deny: (denial, text) => {
			const code = denial.ticketId === undefined && text !== undefined ? traceOf(text, shared.foreignKey) : undefined;
			ledger.deny({ ...denial, lane: id, atMs: nowMs(), ...(code && { code }) });
		},
		show: (screen) => {
			shared.publish(id, screen);
			shared.signal(id, signalOf(screen));
		},
		observe: observer({ ...shared, lane: id, log, monoMs: clock.monoMs, nowMs }),
		onGranted: (grant) => {
			const { ticketId, rung, uses, redemptionId } = grant;
			shared.watch.granted(id, grant, nowMs());
			shared.metrics.admissions.inc({ lane: id, rung });
			log.info({ event: 'granted', decision: 'granted', ticketId, rung, uses, redemptionId });
		},
		onEmergency: (isOn) => shared.onEmergency(id, isOn),
		monoMs: clock.monoMs,
		log,
	});
}

/** The foreign code as it may be kept: its kind, its length and a keyed hash that tells repeats apart. */
function traceOf(text: string, key: Uint8Array): ForeignTrace {
	const hmac = createHmac('sha256', key).update(text).digest('hex').slice(0, 16);
	return { kind: classifyForeign(text), length: text.length, hmac };
}

/** What a contact of the input board means to the lane. */
export function inputEvent(role: InputRole, active: boolean): LaneEvent | undefined {
	switch (role) {
		case 'passage':
			return { kind: 'passage', direction: 'entry', active };
		case 'reverse':
			return { kind: 'passage', direction: 'exit', active };
		case 'fire':
			return { kind: 'fire', state: active ? 'active' : 'clear' };
		case 'tamper':
			return { kind: 'tamper', active };
		case 'staff_button':
			return active ? { kind: 'staff_button' } : undefined;
		case 'emergency_reset':
			return active ? { kind: 'command', command: { kind: 'emergency_reset', by: 'key-switch' } } : undefined;
	}
}

/**
 * What the lane learns when its input board is opened. Fire first: until it is known nothing is touched. A button that
 * is held down while the board opens is no press, and a passage contact that is still closed is no new visitor.
 */
export function inputsOpened(states: InputStates): readonly LaneEvent[] {
	return (['fire', 'tamper'] as const).flatMap((role) => {
		const active = states[role];
		return active === undefined ? [] : (inputEvent(role, active) ?? []);
	});
}

/** Lamps and buzzer for a screen. */
export function signalOf(screen: Screen): Signal {
	switch (screen.kind) {
		case 'granted':
			return screen.cue ? 'cue' : 'granted';
		case 'go_through':
		case 'free':
			return 'granted';
		case 'refused':
			return 'refused';
		case 'wait_staff':
		case 'please_wait':
			return 'wait';
		case 'closed':
		case 'out_of_service':
			return 'out_of_service';
		case 'emergency':
			return 'emergency';
		case 'idle':
		case 'not_taken':
			return 'idle';
	}
}

interface Observed {
	readonly lane: string;
	readonly metrics: Metrics;
	readonly log: Logger;
	readonly monoMs: () => number;
	readonly nowMs: () => number;
	readonly watch: Pick<DeskWatch, 'denied'>;
	readonly changed: () => void;
}

/** Counts and logs what a lane does. A refused visitor is `info`: nobody must come and look. */
function observer({ lane, metrics, log, monoMs, nowMs, watch, changed }: Observed): (effect: LaneEffect) => void {
	let askedMs: number | undefined;
	const decided = () => {
		if (askedMs !== undefined) metrics.decisionSeconds.observe({ lane }, (monoMs() - askedMs) / 1000);
		askedMs = undefined;
	};
	return (effect) => {
		switch (effect.kind) {
			case 'check':
				askedMs = effect.scan.atMs;
				return metrics.scans.inc({ lane });
			case 'pulse':
				return decided();
			case 'deny': {
				decided();
				watch.denied(lane, effect, nowMs());
				const { reason } = effect.refusal;
				metrics.refusals.inc({ lane, reason });
				return log.info({
					event: 'denied',
					decision: 'denied',
					reason,
					...(effect.ticketId && { ticketId: effect.ticketId }),
				});
			}
			case 'settle': {
				const { outcome, taken, redemptionId } = effect.settlement;
				metrics.settlements.inc({ lane, outcome });
				return log.info({ event: 'settled', outcome, taken, redemptionId });
			}
			case 'alarm':
				changed();
				return metrics.alarm.set({ lane, alarm: effect.alarm }, effect.on ? 1 : 0);
			case 'record':
				if (effect.fact.kind === 'lane') changed();
				if (effect.fact.kind !== 'passages') return undefined;
				return metrics.passages.inc({ lane, during: effect.fact.during }, effect.fact.count);
			default:
				return undefined;
		}
	};
}

/** The fields of a log line about an operating error; a bug keeps its stack. */
export function problemOf(error: unknown): Record<string, unknown> {
	return error instanceof StilewardError
		? { code: error.code, problem: error.message, hint: error.hint }
		: { err: error };
}
