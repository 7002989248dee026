import { setTimeout as sleep } from 'node:timers/promises';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { createBuses } from '../../gate-agent/serial/buses.ts';
import type { BusOptions } from '../../gate-agent/serial/modbus-bus.ts';

/** The inputs of a Modbus board while somebody works them. */
export interface ContactWatch {
	/** Levels at rest, input 1 first. */
	readonly rest: readonly boolean[];
	/** The first input that moves and stays so for a moment, from 1; `moved` is its level then. Never settles once closed. */
	next(): Promise<{ readonly channel: number; readonly moved: boolean }>;
	/** Resolves once all inputs are at rest again, or after so long. */
	settled(withinMs: number): Promise<boolean>;
	close(): Promise<void>;
}

/** Which inputs. */
export interface ContactsOn {
	readonly bus: BusOptions;
	readonly address: number;
	readonly count: number;
}

const pollMs = 25;
/** A contact that bounces is not yet one that moved. */
const steadyPolls = 2;

/** Begins to watch. Rejects with `device_*` where the board does not answer. */
export async function watchContacts({ bus: options, address, count }: ContactsOn): Promise<ContactWatch> {
	const bus = await createBuses().acquire(options);
	let isOpen = true;
	const read = () => bus.ask({ unit: address, request: { kind: 'read_inputs', start: 0, count } });
	const sample = async (): Promise<readonly boolean[] | undefined> => {
		try {
			return await read();
		} catch (error) {
			// One answer that is lost is no news.
			if (error instanceof StilewardError) return undefined;
			throw error;
		}
	};
	let rest: readonly boolean[];
	try {
		rest = await read();
	} catch (error) {
		await bus.close();
		throw error;
	}
	return {
		rest,
		async next() {
			const steady = new Map<number, number>();
			while (isOpen) {
				const bits = await sample();
				for (const [index, level] of bits?.entries() ?? []) {
					const polls = level === rest[index] ? 0 : (steady.get(index) ?? 0) + 1;
					steady.set(index, polls);
					if (polls >= steadyPolls) return { channel: index + 1, moved: level };
				}
				await sleep(pollMs);
			}
			return new Promise<never>(() => {});
		},
		async settled(withinMs) {
			const untilMs = performance.now() + withinMs;
			while (performance.now() < untilMs) {
				const bits = await sample();
				if (bits?.every((level, index) => level === rest[index])) return true;
				await sleep(pollMs);
			}
			return false;
		},
		async close() {
			isOpen = false;
			await bus.close();
		},
	};
}
