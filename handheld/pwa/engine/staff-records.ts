import type { Staff, StaffName } from './handheld.ts';
import type { KeyStore } from './key-store.ts';
import { type Lock, noLock } from './lockout.ts';
import type { PinVerifier } from './pin-verifier.ts';

/** Somebody who has signed in here with the server's word, and may do so again without it. */
export interface KnownStaff {
	readonly role: Staff['role'];
	readonly pinVersion: number;
	readonly verifier: PinVerifier;
}

/** Who works with the handheld now. */
export interface Shift extends Staff {
	/** What the server answers to; absent where it was not there. */
	readonly token?: string;
	/** Where the shift began in the journal. */
	readonly since: { readonly epoch: string; readonly seq: number };
}

/** Names that a device remembers; the one that signed in longest ago is forgotten first. */
const knownMax = 64;

/** What a device keeps of its staff. Everything is durable when it resolves. */
export interface StaffRecords {
	names(): readonly StaffName[];
	known(name: StaffName): KnownStaff | undefined;
	remember(name: StaffName, known: KnownStaff): Promise<void>;
	forget(name: StaffName): Promise<void>;
	lock(name: StaffName): Lock;
	setLock(name: StaffName, lock: Lock | undefined): Promise<void>;
	shift(): Shift | undefined;
	setShift(shift: Shift | undefined): Promise<void>;
}

/** Opens what was kept. */
export async function openStaffRecords(keys: KeyStore): Promise<StaffRecords> {
	// Each was written below, by this program alone.
	let staff = ((await keys.get('staff')) ?? new Map()) as ReadonlyMap<StaffName, KnownStaff>;
	let locks = ((await keys.get('locks')) ?? new Map()) as ReadonlyMap<StaffName, Lock>;
	let shift = (await keys.get('session')) as Shift | undefined;
	return {
		names: () => [...staff.keys()].sort(),
		known: (name) => staff.get(name),
		remember: async (name, known) => {
			staff = new Map([...without(staff, name), [name, known] as const].slice(-knownMax));
			await keys.put('staff', staff);
		},
		forget: async (name) => {
			staff = new Map(without(staff, name));
			await keys.put('staff', staff);
		},
		lock: (name) => locks.get(name) ?? noLock,
		setLock: async (name, lock) => {
			const rest = without(locks, name);
			locks = new Map(lock === undefined ? rest : [...rest, [name, lock] as const].slice(-knownMax));
			await keys.put('locks', locks);
		},
		shift: () => shift,
		setShift: async (next) => {
			shift = next;
			await (next === undefined ? keys.remove('session') : keys.put('session', next));
		},
	};
}

function without<T>(all: ReadonlyMap<StaffName, T>, name: StaffName): readonly (readonly [StaffName, T])[] {
	return [...all].filter(([each]) => each !== name);
}
