import { StilewardError } from '../core/errors.ts';
import type { Offer } from './update-request.ts';

/** A gate as its own health call tells it. */
export interface GateHealth {
	readonly version: string;
	/** Lanes that have all that they need. */
	readonly working: readonly string[];
	/** Whether somebody is on the way through, or a fire or an emergency holds a lane. */
	readonly busy: boolean;
}

/** What an update does to the machine. */
export interface Machine {
	/** Installs a package and restarts what runs of it. Rejects where the package manager refuses. */
	install(file: string): Promise<void>;
	/** Brings the package manager back to a state in which it installs, after a cut. */
	repair(): Promise<void>;
	/** Undefined while the gate does not answer. */
	health(): Promise<GateHealth | undefined>;
	sleep(ms: number): Promise<void>;
	monoMs(): number;
}

/** Where it is written how far an update is, durable once it resolves. */
export interface AttemptRecord {
	write(attempt: Attempt): Promise<void>;
	clear(): Promise<void>;
}

/** An update under way: what there was before, for whoever finds it after a power cut. */
export interface Attempt {
	readonly version: string;
	readonly back: { readonly version: string; readonly file: string };
	readonly working: readonly string[];
}

/** How an update ended. `stuck`: neither the new nor the old version works; somebody must come. */
export type UpdateOutcome =
	| { readonly kind: 'installed'; readonly version: string }
	| { readonly kind: 'rolled_back'; readonly version: string; readonly why: string }
	| { readonly kind: 'stuck'; readonly version: string; readonly why: string };

/** How long a gate may take until its lanes work again. */
export const healthyWithinMs = 120_000;

/** How long they must then go on working. */
export const healthyForMs = 15_000;

const lookMs = 1_000;

/**
 * Installs a version and keeps it only where every lane that worked before works under it, for a while; else the
 * version before comes back. Throws `update_impossible` before anything was touched, where the gate is busy or silent.
 */
export async function applyUpdate(
	{ next, back }: { readonly next: Offer; readonly back: Offer },
	machine: Machine,
	record: AttemptRecord,
): Promise<UpdateOutcome> {
	const before = await machine.health();
	if (before === undefined) throw new StilewardError('update_impossible', 'the gate does not answer');
	if (before.busy) throw new StilewardError('update_impossible', 'a lane is in use');
	const { version } = next.release;
	const attempt = { version, back: { version: back.release.version, file: back.file }, working: before.working };
	await record.write(attempt);
	const why = await tryVersion(machine, { file: next.file, version, working: before.working });
	const outcome = why === undefined ? ({ kind: 'installed', version } as const) : await goBack(attempt, machine, why);
	if (outcome.kind !== 'stuck') await record.clear();
	return outcome;
}

/** Ends an update that a power cut has interrupted: nobody watched it, so the version before comes back. */
export async function endInterrupted(
	attempt: Attempt,
	machine: Machine,
	record: AttemptRecord,
): Promise<UpdateOutcome> {
	await machine.repair();
	const outcome = await goBack(attempt, machine, 'it was interrupted');
	if (outcome.kind !== 'stuck') await record.clear();
	return outcome;
}

async function goBack({ version, back, working }: Attempt, machine: Machine, why: string): Promise<UpdateOutcome> {
	const again = await tryVersion(machine, { ...back, working });
	if (again === undefined) return { kind: 'rolled_back', version, why };
	return { kind: 'stuck', version, why: `${why}; and then version ${back.version}: ${again}` };
}

interface Trial {
	readonly file: string;
	readonly version: string;
	readonly working: readonly string[];
}

/** Why a version does not work here; undefined where it does. */
async function tryVersion(machine: Machine, { file, version, working }: Trial): Promise<string | undefined> {
	try {
		await machine.install(file);
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		return error.message;
	}
	const startedMs = machine.monoMs();
	let sinceMs: number | undefined;
	let problem = 'the gate does not answer';
	while (machine.monoMs() - startedMs < healthyWithinMs) {
		const health = await machine.health();
		const wrong = problemOf(health, { version, working });
		if (wrong === undefined) {
			sinceMs ??= machine.monoMs();
			if (machine.monoMs() - sinceMs >= healthyForMs) return undefined;
		} else {
			sinceMs = undefined;
			problem = wrong;
		}
		await machine.sleep(lookMs);
	}
	return problem;
}

function problemOf(health: GateHealth | undefined, { version, working }: Omit<Trial, 'file'>): string | undefined {
	if (health === undefined) return 'the gate does not answer';
	if (health.version !== version) return `the gate runs ${health.version}`;
	const idle = working.filter((lane) => !health.working.includes(lane));
	return idle.length === 0 ? undefined : `${idle.join(', ')} does not work`;
}
