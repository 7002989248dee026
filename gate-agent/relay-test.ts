import type { RelaySettings } from './config.ts';
import type { Relay } from './core/device.ts';
import { StilewardError } from './core/errors.ts';
import type { LaneStatus } from './core/lane.ts';
import type { Direction, Fact } from './core/redemption.ts';
import type { RelayTestRequest, RelayTestResult } from './technician/desk.ts';

/** What a test of one lane's relay needs. */
export interface RelayTestDeps {
	readonly status: () => LaneStatus;
	/** The board as it is configured; absent for a lane without a gate. */
	readonly settings: RelaySettings | undefined;
	readonly relay: () => Relay | undefined;
	/** Writes the fact; rejects with a `StilewardError` where it did not become durable. */
	readonly record: (fact: Fact) => Promise<void>;
}

/** Who a technician at the gate's own page is to the journal: the PIN is the gate's, not a person's. */
const technician = 'technician';

/**
 * Opens the gate once to see whether it opens. Written down first, as every opening is. Refused while fire or an emergency
 * opens the gate anyway, while somebody is on the way through, and on a lane that takes visitors unless the technician
 * says that nobody stands in it.
 */
export async function testRelay(
	{ lane, direction, isClear }: RelayTestRequest,
	{ status, settings, relay, record }: RelayTestDeps,
): Promise<RelayTestResult> {
	const why = refusalOf(status(), isClear) ?? (settings === undefined || !relay() ? 'no_relay' : undefined);
	if (why !== undefined || settings === undefined) return { kind: 'refused', why: why ?? 'no_relay' };
	try {
		await record({ kind: 'relay_test', lane, direction, by: technician });
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		return { kind: 'refused', why: 'ledger' };
	}
	// Much may have happened while the disk was waited for.
	const late = refusalOf(status(), isClear);
	if (late !== undefined) return { kind: 'refused', why: late };
	return pulse(relay(), channelOf(settings, direction), settings.pulseMs);
}

function refusalOf(
	{ fire, emergency, phase, mode }: LaneStatus,
	isClear: boolean,
): (RelayTestResult & { readonly kind: 'refused' })['why'] | undefined {
	// What is not known of a fire counts as one.
	if (emergency || fire !== 'clear') return 'emergency';
	if (phase !== 'idle') return 'in_use';
	return mode === 'locked' || isClear ? undefined : 'not_clear';
}

function channelOf({ channel, exitChannel }: RelaySettings, direction: Direction): number {
	return direction === 'exit' ? exitChannel : channel;
}

async function pulse(relay: Relay | undefined, channel: number, pulseMs: number): Promise<RelayTestResult> {
	try {
		if (!relay) throw new StilewardError('device_lost', 'the relay is not there');
		await relay.pulse(channel, pulseMs);
		return { kind: 'pulsed' };
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		return { kind: 'failed', problem: error.message, hint: error.hint };
	}
}
