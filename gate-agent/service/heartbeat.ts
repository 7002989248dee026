import type { Relay } from '../core/device.ts';

/** What an agent shows of its own life. */
export interface Liveness {
	/** For how long each lane owes an answer or a step of its clock, ms. */
	readonly lanes: readonly { readonly id: string; readonly lateMs: number }[];
	/** The relay boards that are open now. One that was unplugged is not among them: that is no reason to start anew. */
	readonly relays: readonly { readonly name: string; readonly relay: Pick<Relay, 'read'> }[];
}

/** What a heartbeat needs. */
export interface HeartbeatOptions {
	readonly everyMs: number;
	/** A part that owes its answer for longer is silent. */
	readonly lateMsMax: number;
	readonly liveness: () => Liveness;
	readonly monoMs: () => number;
	/** Told at each beat at which every part has answered. */
	readonly alive: () => void;
	/** Told what is silent when that changes; nothing once all answer again. */
	readonly onSilent: (parts: readonly string[]) => void;
}

interface Probe {
	answeredMs: number;
	isAsking: boolean;
}

/**
 * Beats while an agent lives: its event loop turns, each lane steps and gets its answers, and each open relay board has
 * answered a question that was put to it since. A beat is left out where one of them does not. Gives what stops it.
 */
export function startHeartbeat(options: HeartbeatOptions): () => void {
	const probes = new Map<Pick<Relay, 'read'>, Probe>();
	let told = '';
	const beat = () => {
		const { lanes, relays } = options.liveness();
		const nowMs = options.monoMs();
		forgetClosed(probes, relays);
		for (const { relay } of relays) ask(relay, probeOf(probes, relay, nowMs), options.monoMs);
		const isLate = (sinceMs: number) => nowMs - sinceMs > options.lateMsMax;
		const silent = [
			...lanes.filter(({ lateMs }) => lateMs > options.lateMsMax).map(({ id }) => id),
			...relays.filter(({ relay }) => isLate(probes.get(relay)?.answeredMs ?? nowMs)).map(({ name }) => name),
		];
		if (silent.length === 0) options.alive();
		if (silent.join() !== told) options.onSilent(silent);
		told = silent.join();
	};
	beat();
	const timer = setInterval(beat, options.everyMs);
	return () => clearInterval(timer);
}

function forgetClosed(probes: Map<Pick<Relay, 'read'>, Probe>, relays: Liveness['relays']): void {
	const open = new Set(relays.map(({ relay }) => relay));
	for (const relay of probes.keys()) if (!open.has(relay)) probes.delete(relay);
}

/** A board that was opened just now owes nothing yet. */
function probeOf(probes: Map<Pick<Relay, 'read'>, Probe>, relay: Pick<Relay, 'read'>, nowMs: number): Probe {
	const known = probes.get(relay);
	if (known) return known;
	const made = { answeredMs: nowMs, isAsking: false };
	probes.set(relay, made);
	return made;
}

/** One question at a time. A refusal is no answer: a board that goes on refusing is lost by its own driver, or hangs. */
function ask(relay: Pick<Relay, 'read'>, probe: Probe, monoMs: () => number): void {
	if (probe.isAsking) return;
	probe.isAsking = true;
	relay
		.read()
		.then(
			() => {
				probe.answeredMs = monoMs();
			},
			() => undefined,
		)
		.finally(() => {
			probe.isAsking = false;
		});
}
