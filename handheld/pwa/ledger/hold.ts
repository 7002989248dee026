import { StilewardError } from '../../../gate-agent/core/errors.ts';

/** The right of one tab to write a ledger. */
export interface LedgerHold {
	/** The ledger's name. */
	readonly name: string;
	/** Random: tells this hold from every other one. */
	readonly token: string;
	isHeld(): boolean;
	/** Resolves once the hold has ended: `taken_over` by another tab, or `released` here. */
	readonly ended: Promise<'taken_over' | 'released'>;
	/** Lets another tab have the ledger. Resolves once it may. */
	release(): Promise<void>;
}

/** The answer of `holdLedger`. */
export type HoldAnswer = { readonly kind: 'held'; readonly hold: LedgerHold } | { readonly kind: 'in_use' };

/**
 * How to come by a ledger: `if_free` answers `in_use` where another tab has it, `wait` stands in line until that tab
 * closes or `signal` aborts (then `in_use`), `take_over` takes it away and the other tab is told.
 */
export interface HoldOptions {
	readonly how?: 'if_free' | 'wait' | 'take_over';
	readonly signal?: AbortSignal;
}

/**
 * Takes the ledger of that name for this tab, through Web Locks: the browser gives the lock back with the tab, also after
 * a crash. Rejects with `ledger_io` where the browser has no locks, e.g. on a page that is not secure.
 */
export function holdLedger(name: string, { how = 'if_free', signal }: HoldOptions = {}): Promise<HoldAnswer> {
	if (navigator.locks === undefined) {
		return Promise.reject(new StilewardError('ledger_io', 'this page is not secure: the browser gives it no locks'));
	}
	return new Promise((resolve, reject) => {
		const released = Promise.withResolvers<void>();
		let held = false;
		const options: LockOptions = {
			...{ ifAvailable: how === 'if_free', steal: how === 'take_over' },
			...(how === 'wait' && signal !== undefined ? { signal } : {}),
		};
		const ended = navigator.locks.request(`stileward ledger ${name}`, options, async (lock) => {
			if (lock === null) {
				resolve({ kind: 'in_use' });
				return;
			}
			held = true;
			resolve({ kind: 'held', hold });
			await released.promise;
		});
		const hold = makeHold({ name, isHeld: () => held, letGo, ended: ended.then(() => 'released', lose) });
		function letGo(): void {
			held = false;
			released.resolve();
		}
		function lose(error: unknown): 'taken_over' {
			held = false;
			// Without effect where the hold was given out: then it was taken over. Else `signal` ended the wait.
			if (error instanceof DOMException && error.name === 'AbortError') resolve({ kind: 'in_use' });
			else reject(error);
			return 'taken_over';
		}
	});
}

interface Held extends Pick<LedgerHold, 'name' | 'isHeld' | 'ended'> {
	readonly letGo: () => void;
}

function makeHold({ name, isHeld, letGo, ended }: Held): LedgerHold {
	return {
		name,
		token: crypto.randomUUID(),
		isHeld,
		ended,
		async release() {
			letGo();
			await ended;
		},
	};
}
