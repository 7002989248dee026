import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A relay board that an agent drives, and the channels by which it opens its lanes. */
export interface RecordedBoard {
	readonly name: string;
	readonly driver: string;
	/** As its driver has checked them. */
	readonly options: Readonly<Record<string, unknown>>;
	readonly lanes: readonly { readonly lane: string; readonly channels: readonly number[] }[];
}

/** What must be known of an agent's coils once it is dead. */
export interface CoilState {
	readonly boards: readonly RecordedBoard[];
	/** Lanes in an emergency: their coils are left as they are. */
	readonly emergencies: readonly string[];
}

/** Where an agent writes its coils down, for whoever switches them off after its death. */
export interface CoilRecord {
	/**
	 * The boards that are opened from now on, and what the ledger remembers of emergencies. Until then the record of the
	 * life before stays: an agent that dies earlier has touched nothing.
	 */
	drives(state: CoilState): void;
	/** A lane's emergency began or ended. It is written before a coil is held. */
	emergency(lane: string, isOn: boolean): void;
}

/** The file in an agent's own folder in memory, which systemd makes, or in its data folder where nobody does. */
export function coilRecordFile(folder: string): string {
	return join(folder, 'coils.json');
}

/** Opens the record. A disk that takes nothing keeps no lane from opening: `onFailure` is told. */
export function openCoilRecord(file: string, onFailure: (error: unknown) => void): CoilRecord {
	let state: CoilState | undefined;
	const write = (next: CoilState) => {
		state = next;
		try {
			writeFileSync(`${file}.new`, JSON.stringify(next), { mode: 0o600 });
			renameSync(`${file}.new`, file);
		} catch (error) {
			onFailure(error);
		}
	};
	return {
		drives: write,
		emergency: (lane, isOn) => {
			if (!state || state.emergencies.includes(lane) === isOn) return;
			const others = state.emergencies.filter((each) => each !== lane);
			write({ ...state, emergencies: isOn ? [...others, lane] : others });
		},
	};
}

/** What the last agent wrote down; undefined where there was none, or nobody can read it. */
export function readCoilRecord(file: string): CoilState | undefined {
	try {
		// The file is the agent's own, in a folder that is closed to others.
		return JSON.parse(readFileSync(file, 'utf8')) as CoilState;
	} catch {
		return undefined;
	}
}
