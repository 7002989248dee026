import { createAdmitter } from '../../../gate-agent/core/admit.ts';
import type { Relay } from '../../../gate-agent/core/device.ts';
import type { LaneConfig } from '../../../gate-agent/core/lane-state.ts';
import { type LaneRuntime, runLane } from '../../../gate-agent/lane-runtime.ts';
import { createRedemptionIds } from '../../../gate-agent/redemption-ids.ts';
import { type GateProgram, silent } from './gate.ts';
import { type LaneBuild, type LaneSite, passageTimeoutMs } from './lane-site.ts';

/** The configuration of a lane as it is built. */
export function laneConfig({ id, sensor }: LaneBuild): LaneConfig {
	return {
		id,
		zone: 'main',
		mode: 'entry',
		passageSensor: sensor,
		fireInput: false,
		passageTimeoutMs,
		latePassageMs: 4_000,
		holdOffMs: 2_000,
		verdictMs: 3_000,
		confirmTimeoutMs: 20_000,
		groupIdleMs: 8_000,
		openTooLongMs: 15_000,
		deadSensorAfter: 5,
		staffButton: 'confirm_only',
		staffButtonClass: 'staff',
	};
}

/** Between the order of a pulse and the board's word that it has begun. */
const boardMs = 2;

/** Runs a lane of a gate's program: the agent's own runtime, admission and relay over the world's lane. */
export function startGateLane(
	program: GateProgram,
	{ site, config }: { readonly site: LaneSite; readonly config: LaneConfig },
): LaneRuntime {
	const { ledger, writer, clock, venue } = program;
	const nowMs = () => clock.read().nowMs;
	const board = relayBoard(site);
	return runLane(config, undefined, {
		admitter: createAdmitter({
			...venue,
			keyset: venue.keys.keyset,
			ledger,
			agent: program.name,
			lane: { id: config.id, zone: config.zone },
			clock: () => clock.read(),
			newRedemptionId: createRedemptionIds(),
			onError: (error) => {
				throw error;
			},
		}),
		relay: () => board,
		coils: { channel: 1, exitChannel: 1, pulseMs: 400 },
		settle: (settlement) => writer.write('settlement', () => ledger.settle(settlement, nowMs())),
		record: (fact) => writer.write(fact.kind, () => ledger.record(fact, nowMs())),
		recordNow: (fact) => ledger.record(fact, nowMs()),
		deny: (denial) => ledger.deny({ ...denial, lane: config.id, atMs: nowMs() }),
		show: (screen) => site.show(screen),
		observe: () => {},
		onEmergency: () => undefined,
		onGranted: () => {},
		monoMs: clock.monoMs,
		log: silent,
	});
}

/** The relay board of a lane: what it closes is the turnstile's input. */
function relayBoard(site: LaneSite): Relay {
	return {
		pulseTiming: 'hardware',
		channels: 1,
		lost: new Promise(() => {}),
		pulse: async () => {
			site.pulse();
			await new Promise<void>((resolve) => void setTimeout(resolve, boardMs));
		},
		set: async () => {},
		read: async () => undefined,
		close: async () => {},
	};
}
