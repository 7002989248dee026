import { type ErrorCode, StilewardError } from '../../../gate-agent/core/errors.ts';

/** What the browser's names of errors mean to the person at the gate; a name that is not here is a bug. */
const codes: Readonly<Record<string, ErrorCode>> = {
	QuotaExceededError: 'ledger_full',
	VersionError: 'ledger_newer',
	// A store that should be there is not, a row is there twice, or the browser lost what it had stored.
	NotFoundError: 'ledger_corrupt',
	ConstraintError: 'ledger_corrupt',
	NotReadableError: 'ledger_corrupt',
	// The connection went away, also in the middle of a transaction.
	AbortError: 'ledger_io',
	InvalidStateError: 'ledger_io',
	UnknownError: 'ledger_io',
	TimeoutError: 'ledger_io',
};

const texts: Partial<Record<ErrorCode, string>> = {
	ledger_full: 'no space for the ledger',
	ledger_newer: 'the ledger has a newer schema',
	ledger_corrupt: 'the ledger is damaged',
	ledger_io: 'the ledger cannot be read or written',
};

/** What an error of IndexedDB means to an operator. Undefined for anything else, which is a bug and not a fault. */
export function faultOf(error: unknown, name: string): StilewardError | undefined {
	if (error instanceof StilewardError) return error;
	if (!(error instanceof DOMException)) return undefined;
	const code = codes[error.name];
	if (code === undefined) return undefined;
	return new StilewardError(code, `${texts[code]}: ${name} (${error.name})`, { cause: error });
}
