/**
 * Every operating error of Stileward: its stable code and what the person who reads it does next.
 * Programs branch on the code, never on the text.
 */
export const errorHints = {
	config_invalid: 'Correct the named lines and run `stileward gate check-config`.',
	usage: 'Run the command with --help.',
	answers_invalid: 'Correct the named answers and run it again; nothing was changed.',
	setup_ended: 'Run `stileward setup` again; nothing was changed.',
	keys_missing: 'Run `stileward keys init --dir DIR`, or copy manifest.jws and root.public.jwk here.',
	keys_invalid: 'Restore the file from its backup; a damaged key cannot be repaired.',
	keys_exist: 'Choose an empty folder: keys are never overwritten.',
	keys_changed: 'Restart the server, so that it signs by the newest key manifest; then ask again.',
	keys_busy: 'Another program writes to the key folder; wait until it is done.',
	manifest_invalid:
		'Correct what is named, or fetch the manifest again: it must be whole and signed by the pinned root key.',
	manifest_rollback: 'Install the newest key manifest; an older version is refused.',
	ticket_invalid: 'Correct the named claim.',
	status_list_invalid: 'Fetch the status list again; it must be signed by the named key.',
	output_exists: 'Choose an empty folder or another name: files are never overwritten.',
	output_failed: 'Check the folder, its permissions and the space on its disk.',
	device_absent: 'Plug the device in, or correct its path.',
	device_busy: 'Another program holds the device; stop it.',
	device_denied: 'Add the user to the group that owns the device (`dialout` for serial ports).',
	device_lost: 'The device went away; it is opened again by itself once it is back.',
	device_timeout: 'Check the power, the wiring and the baud rate of the device.',
	device_protocol: 'The device answers, but not in the language of this driver: check model and address.',
	library_missing: 'Install the named system package.',
	address_unavailable: 'Stop the other program that listens there, or choose another host or port.',
	unsupported: 'Use Linux for real devices; elsewhere use the `replay` and `simulated` drivers.',
	ledger_missing: 'Check the data folder; the ledger is made by the first `gate run`.',
	ledger_busy: 'Another agent, or another tab, already uses this ledger; stop it or choose another folder.',
	ledger_corrupt: 'A gate sets a damaged ledger aside by itself at its next start; keep the file for examination.',
	ledger_newer: 'This ledger was written by a newer Stileward; install that version or newer.',
	ledger_full: 'Free some disk space; the lane opens again by itself.',
	ledger_io:
		'Check that the folder may be written, then the disk (`dmesg`); the lane stays shut until a write succeeds.',
	server_data_invalid: 'Restore the named file of the server from its backup, or correct it.',
	backup_invalid: 'Use another backup: this file is damaged, or it is none of a server.',
	backup_elsewhere:
		'Use pg_dump and pg_restore for the database; after pg_restore run `stileward server new-epoch` before the server starts.',
	server_unreachable: 'Check the network, the address and that the server runs.',
	server_untrusted:
		'The server is not the pinned one: compare the fingerprint with the one that it logs when it starts.',
	server_refused: 'Do what the server says.',
	server_answer_invalid:
		'Something between here and the server answers in its place: check proxies and Wi-Fi login pages.',
	server_busy: 'Try again in a moment; nothing was changed.',
	hub_not_enrolled: 'Run `stileward server enroll` in this folder, with a code of `device code --hub` from the centre.',
	session_missing: 'Run `stileward login` first.',
	store_newer: 'This database was written by a newer Stileward; install that version or newer.',
	store_failed: 'Check the database, its disk and the connection to it; then ask again: nothing is done twice.',
	store_busy: 'Ask again in a moment; the database is behind.',
	venue_unknown: 'Check the venue id.',
	session_unknown: 'Check the name of the session, or give the event its rules anew.',
	event_unknown: 'Create the event first, or check its id.',
	device_unknown: 'Enroll the device at this venue.',
	name_taken: 'Choose another name, or say that the device takes the place of the one that has it (--replace).',
	key_enrolled: 'Make a new key for each device; to enroll the same device again, make its code with --replace.',
	case_unknown: 'List the cases and check the id.',
	order_unknown: 'Check the order number and the ticket numbers.',
	order_differs: 'Use another order number: this one stands for other tickets.',
	order_closed: 'Tickets that are exchanged, refunded or used cannot be changed this way.',
	authority_lost: 'Ask the server that holds the authority; an operator moves it with a new epoch.',
	redemption_differs: 'A redemption id stands for one claim; make a new one.',
	clock_reset_invalid: 'A clock reset must be signed by the root key and carry a higher epoch.',
	release_invalid: 'Bring the release anew: it must be whole and signed by the root key of this venue.',
	package_invalid: 'Bring the package anew: it is not the one that was signed.',
	update_impossible: 'Do what is named; the gate goes on with the version that it has.',
} as const satisfies Record<string, string>;

/** A stable name for one kind of operating error. */
export type ErrorCode = keyof typeof errorHints;

/**
 * An error of operation: something outside the program is not as it must be.
 * A refusal of a visitor is a value, not an error; a bug is a failed assertion.
 * The message never holds a token, a key or a person's name.
 */
export class StilewardError extends Error {
	override readonly name = 'StilewardError';
	readonly code: ErrorCode;

	constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
		super(message, options);
		this.code = code;
	}

	/** What to do next, in one sentence. */
	get hint(): string {
		return errorHints[this.code];
	}
}

/** A failed assertion is a bug: it stops the process, and the lane fails as configured. */
export function assert(condition: unknown, message: string): asserts condition {
	if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** Makes the compiler prove that a union is handled to its last member. */
export function unreachable(value: never): never {
	throw new Error(`assertion failed: unexpected ${JSON.stringify(value)}`);
}
