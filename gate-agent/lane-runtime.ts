import type { Admitter } from './core/admit.ts';
import type { Relay } from './core/device.ts';
import { StilewardError } from './core/errors.ts';
import { deadlineOf, initialLane, isAtRest, type LaneStatus, laneStatus, screenOf, step } from './core/lane.ts';
import type { LaneConfig, LaneEffect, LaneInput, LaneState, Screen } from './core/lane-state.ts';
import type { Denial, LaneMemory } from './core/ledger.ts';
import type { Fact, Grant, Settlement } from './core/redemption.ts';
import { createLaneRelay, type LaneCoils, noGate } from './lane-relay.ts';
import type { Logger } from './logger.ts';
import { within } from './within.ts';

/** What a lane needs to act on the world. */
export interface LanePorts {
	readonly admitter: Pick<Admitter, 'check' | 'redeem'>;
	/** The open relay board, or undefined while it is lost. */
	readonly relay: () => Relay | undefined;
	/** Absent where there is no gate. */
	readonly coils: LaneCoils | undefined;
	readonly settle: (settlement: Settlement) => void;
	/** Queues a fact; it is written again until it is durable. */
	readonly record: (fact: Fact) => void;
	/** Writes a fact once. Rejects with a `StilewardError` where it did not become durable. */
	readonly recordNow: (fact: Fact) => Promise<void>;
	readonly deny: (denial: Omit<Denial, 'atMs' | 'lane' | 'code'>, text: string | undefined) => void;
	readonly show: (screen: Screen) => void;
	/** Told of every effect, for metrics and log. */
	readonly observe: (effect: LaneEffect) => void;
	readonly onGranted: (grant: Grant) => void;
	/** An emergency began or ended. Told before the relay is. */
	readonly onEmergency: (isOn: boolean) => void;
	readonly monoMs: () => number;
	readonly log: Logger;
}

/** An input without its time, which the runtime adds. */
export type LaneEvent = LaneInput extends infer Input ? (Input extends LaneInput ? Omit<Input, 'atMs'> : never) : never;

/** A running lane: the state machine of the core, its one timer and its effects. */
export interface LaneRuntime {
	readonly id: string;
	dispatch(event: LaneEvent): void;
	readonly screen: Screen;
	readonly status: LaneStatus;
	/** Nobody is on the way through, and nobody may still come late. */
	readonly atRest: boolean;
	/** For how long the lane owes a step of its clock, or waits for an answer of admitter or ledger, ms; 0 where nothing is due. */
	readonly lateMs: number;
	/** Resolves when the relay has done all that it was told so far. */
	coilsAtRest(): Promise<void>;
	/** Takes nobody in any more. Resolves when nobody is on the way through, or after `withinMs`. */
	drain(withinMs: number): Promise<void>;
	/** Ends a drain: visitors are taken in again. */
	resume(): void;
	/** Writes down what was counted, and stops timer and effects. A grant that is committed after this goes back: its gate never opened. */
	stop(): void;
}

/** Starts a lane from its configuration and from what the ledger remembers of it. */
export function runLane(config: LaneConfig, memory: LaneMemory | undefined, ports: LanePorts): LaneRuntime {
	let timer: NodeJS.Timeout | undefined;
	let stopped = false;
	let missing: readonly string[] = [];
	let draining: PromiseWithResolvers<void> | undefined;
	let [state, first] = initialLane(config, memory, ports.monoMs()) as [LaneState, readonly LaneEffect[]];
	let coils: Promise<unknown> = Promise.resolve();
	const waiting = createWaiting(ports.monoMs);
	const run = effectRunner({ ports, isWanted: (id) => waitsFor(state, id), dispatch: (event) => dispatch(event) });
	const carryOut = (effect: LaneEffect) => {
		ports.observe(effect);
		const done = run(effect);
		if (answered.has(effect.kind)) waiting.for(done);
		if (effect.kind === 'hold' || effect.kind === 'pulse') coils = Promise.all([coils, done]);
	};

	function dispatch(event: LaneEvent): void {
		if (stopped) giveBackLate(ports, event);
		if (stopped) return;
		if (event.kind === 'devices') missing = event.missing;
		const told = event.kind === 'devices' && draining ? { ...event, missing: [...missing, 'stopping'] } : event;
		let effects: readonly LaneEffect[];
		const wasEmergency = state.emergency !== undefined;
		// The union distributes over the time that is added to each member.
		[state, effects] = step(state, { ...told, atMs: ports.monoMs() } as LaneInput);
		schedule();
		if (wasEmergency !== (state.emergency !== undefined)) ports.onEmergency(!wasEmergency);
		for (const effect of effects) carryOut(effect);
		if (!underWay.has(state.phase.kind)) draining?.resolve();
	}

	function schedule(): void {
		clearTimeout(timer);
		const waitMs = (deadlineOf(state) ?? Number.POSITIVE_INFINITY) - ports.monoMs();
		if (Number.isFinite(waitMs)) timer = setTimeout(() => dispatch({ kind: 'tick' }), Math.max(0, waitMs));
	}

	schedule();
	for (const effect of first) carryOut(effect);
	return {
		...{ id: config.id, dispatch },
		get screen() {
			return screenOf(state);
		},
		get status() {
			return laneStatus(state);
		},
		get atRest() {
			return isAtRest(state, ports.monoMs());
		},
		get lateMs() {
			return stopped ? 0 : Math.max(overdueMs(state, ports.monoMs()), waiting.longestMs());
		},
		coilsAtRest: () => coils.then(() => undefined),
		drain: async (withinMs) => {
			draining ??= Promise.withResolvers<void>();
			dispatch({ kind: 'devices', missing });
			await within(draining.promise, withinMs);
		},
		resume: () => {
			draining = undefined;
			dispatch({ kind: 'devices', missing });
		},
		stop: () => {
			dispatch({ kind: 'closing' });
			stopped = true;
			clearTimeout(timer);
		},
	};
}

/** Whether the lane still waits for this pulse. */
function waitsFor({ phase }: LaneState, pulseId: number): boolean {
	return phase.kind === 'passing' && phase.open.pulse.id === pulseId;
}

/** A grant that is committed after the lane was stopped: its gate never opened. */
function giveBackLate(ports: LanePorts, event: LaneEvent): void {
	if (event.kind !== 'redeemed' || event.result.kind !== 'granted') return;
	const { redemptionId } = event.result.grant;
	ports.settle({ redemptionId, outcome: 'not_taken', taken: 0, back: true, counted: false });
}

/** For how long the lane's clock owes a step. */
function overdueMs(state: LaneState, nowMs: number): number {
	return Math.max(0, nowMs - (deadlineOf(state) ?? nowMs));
}

/** Effects that the lane waits for, and that nothing may keep for long: each has a limit of its own. */
const answered: ReadonlySet<LaneEffect['kind']> = new Set(['check', 'redeem', 'record_entry']);

/** Remembers since when answers are waited for. */
function createWaiting(monoMs: () => number) {
	const sinceMs = new Set<{ readonly ms: number }>();
	return {
		for(work: void | Promise<void>) {
			const entry = { ms: monoMs() };
			sinceMs.add(entry);
			void Promise.resolve(work).finally(() => sinceMs.delete(entry));
		},
		longestMs: () => Math.max(0, ...[...sinceMs].map(({ ms }) => monoMs() - ms)),
	};
}

/** Phases in which a use is held, or a fact is written for which the gate opens. */
const underWay: ReadonlySet<LaneState['phase']['kind']> = new Set(['redeeming', 'recording', 'passing']);

interface EffectWiring {
	readonly ports: LanePorts;
	readonly dispatch: (event: LaneEvent) => void;
	/** Whether the lane still waits for this pulse. */
	readonly isWanted: (pulseId: number) => boolean;
}

/** Carries out effects, and dispatches the answers of those that have one. */
function effectRunner({ ports, dispatch, isWanted }: EffectWiring) {
	const { admitter, log } = ports;
	const relay = ports.coils ? createLaneRelay({ ...ports, coils: ports.coils }) : noGate;
	return (effect: LaneEffect): void | Promise<void> => {
		switch (effect.kind) {
			case 'check':
				return admitter
					.check(effect.scan.text, effect.direction)
					.then((result) => dispatch({ kind: 'checked', scanId: effect.scanId, result }));
			case 'redeem':
				return admitter.redeem(effect.ticket, effect.direction).then((result) => {
					dispatch({ kind: 'redeemed', scanId: effect.scanId, result });
					// The visitor does not wait for the log.
					if (result.kind === 'granted') ports.onGranted(result.grant);
				});
			case 'pulse':
				return relay
					.pulse(effect.direction, () => isWanted(effect.pulseId))
					.then((ok) => dispatch({ kind: 'pulsed', pulseId: effect.pulseId, ok }));
			case 'hold':
				return relay.hold(effect.state);
			case 'settle':
				return ports.settle(effect.settlement);
			case 'record':
				return ports.record(effect.fact);
			case 'record_entry':
				return recordEntry(ports, effect.fact).then((ok) =>
					dispatch({ kind: 'recorded', entryId: effect.entryId, ok }),
				);
			case 'deny':
				return ports.deny(
					{ reason: effect.refusal.reason, ...(effect.ticketId && { ticketId: effect.ticketId }) },
					effect.scan.kind === 'code' ? effect.scan.text : undefined,
				);
			case 'alarm':
				return log[effect.on ? 'error' : 'info']({ event: 'alarm', alarm: effect.alarm, on: effect.on });
			case 'show':
				return ports.show(effect.screen);
		}
	};
}

async function recordEntry({ recordNow, log }: LanePorts, fact: Fact): Promise<boolean> {
	try {
		await recordNow(fact);
		return true;
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		log.error({ event: 'ledger_failed', code: error.code, problem: error.message });
		return false;
	}
}
