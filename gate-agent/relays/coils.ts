import { StilewardError } from '../core/errors.ts';
import type { CoilCommand } from './watchdog-protocol.ts';

/** Who ends what: the coils of a board that has no timer of its own. */
export interface Coils {
	/** Carries a command out. Resolves when its bytes have left; rejects with `device_busy` or as `write` does. */
	obey(command: CoilCommand): Promise<void>;
	/**
	 * The agent is gone: opens every coil that is on, lets a running pulse end within `pulseMsMax`, keeps what is
	 * held. Resolves when nothing but holds is closed.
	 */
	release(pulseMsMax: number): Promise<void>;
	/** Whether a coil is held. */
	isHolding(): boolean;
}

/** A pulse is never shorter than this part of what was ordered. */
const shortestPart = 0.8;

interface Pulse {
	readonly kind: 'pulse';
	readonly over: PromiseWithResolvers<void>;
	/** Set when the first bytes have left. */
	endsAtMs?: number;
	timer?: NodeJS.Timeout;
}

type Coil = Pulse | { readonly kind: 'on' } | { readonly kind: 'hold' };

/** Drives coils through `write`, which must keep the order of its calls. Nothing is written before the first command. `held` are coils that were taken over on hold. */
export function createCoils(
	write: (channel: number, closed: boolean) => Promise<void>,
	held: readonly number[] = [],
): Coils {
	const closed = new Map<number, Coil>(held.map((channel) => [channel, { kind: 'hold' }]));
	let orphanMs = Number.POSITIVE_INFINITY;

	const arm = (channel: number, pulse: Pulse, endsAtMs: number) => {
		clearTimeout(pulse.timer);
		const now = performance.now();
		pulse.endsAtMs = Math.min(endsAtMs, now + orphanMs);
		pulse.timer = setTimeout(() => void end(channel, pulse), pulse.endsAtMs - now);
	};
	const end = async (channel: number, pulse: Pulse) => {
		closed.delete(channel);
		// A write that fails ends the port, and with it the process.
		await write(channel, false).catch(() => {});
		pulse.over.resolve();
	};
	const pulse = async (channel: number, ms: number) => {
		// Lengthening a pulse could let a second visitor through on the first one's ticket, so it is refused.
		if (closed.has(channel)) throw new StilewardError('device_busy', `channel ${channel} is closed already`);
		const pulse: Pulse = { kind: 'pulse', over: Promise.withResolvers() };
		closed.set(channel, pulse);
		const startedAtMs = performance.now();
		await write(channel, true);
		// Both ends of the pulse take the same way out, so its time counts from the call; a port that was slow to take
		// the first bytes must not make it too short for the turnstile to notice.
		const endsAtMs = Math.max(startedAtMs + ms, performance.now() + ms * shortestPart);
		if (closed.get(channel) === pulse) arm(channel, pulse, endsAtMs);
	};
	const set = (channel: number, state: 'on' | 'hold' | 'off') => {
		const before = closed.get(channel);
		if (before?.kind === 'pulse') {
			clearTimeout(before.timer);
			before.over.resolve();
		}
		if (state === 'off') closed.delete(channel);
		else closed.set(channel, { kind: state });
		return write(channel, state !== 'off');
	};

	return {
		isHolding: () => [...closed.values()].some(({ kind }) => kind === 'hold'),
		obey: (command) =>
			command.kind === 'pulse' ? pulse(command.channel, command.ms) : set(command.channel, command.kind),
		async release(pulseMsMax) {
			orphanMs = pulseMsMax;
			await Promise.all(
				[...closed].map(async ([channel, coil]) => {
					if (coil.kind === 'on') await set(channel, 'off').catch(() => {});
					if (coil.kind !== 'pulse') return;
					// A pulse whose first bytes are still leaving is armed, and cut, when they have left.
					if (coil.endsAtMs !== undefined) arm(channel, coil, coil.endsAtMs);
					await coil.over.promise;
				}),
			);
		},
	};
}
