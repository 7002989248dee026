import { StilewardError } from '../../gate-agent/core/errors.ts';
import { restoreBackup } from '../../sync/server/backup/restore-backup.ts';
import { writeBackup } from '../../sync/server/backup/write-backup.ts';
import { enrollmentFile as hubEnrollmentFile } from '../../sync/server/hub/enrollment.ts';
import { openOffice, openStore } from '../../sync/server/start.ts';
import type { DataOptions } from '../../sync/server/store-place.ts';
import { jsonLine, type Terminal } from './output.ts';

/** The options of every command about a server's data. */
interface ServerDataOptions {
	readonly data: string;
	readonly store?: string;
	readonly json?: true;
}

/** The options of `server backup`. */
export type BackupOptions = ServerDataOptions & { readonly to: string };

/** The options of `server restore`. */
export type RestoreOptions = ServerDataOptions & { readonly from: string };

/** The options of `server new-epoch`. */
export type EpochOptions = ServerDataOptions & { readonly venue: string };

/** Writes a backup and says what is in it. */
export async function backUpServer(options: BackupOptions, { out }: Terminal): Promise<void> {
	const { to, json } = options;
	const { venues, files } = await writeBackup({ ...placeOf(options), to });
	const names = files.map(({ path }) => path);
	if (json) return out.write(jsonLine({ to, venues, files: names }));
	const heads = venues.map(({ venue, epoch, admissions }) => `${venue} (epoch ${epoch}, ${admissions} admissions)`);
	await out.write(`${to} is a verified copy of ${heads.join(', ')} with ${names.length} files of keys and operators\n`);
}

/** Puts a backup into a new folder. */
export async function restoreServer(options: RestoreOptions, terminal: Terminal): Promise<void> {
	const { data, from, json } = options;
	const { venues, files } = await restoreBackup({ ...placeOf(options), from });
	if (!files.includes(hubEnrollmentFile)) {
		for (const { venue } of venues) await audit(options, { venue, act: 'server.restore' }, terminal);
	}
	if (json) return terminal.out.write(jsonLine({ data, from, venues, files }));
	if (files.includes(hubEnrollmentFile)) {
		await terminal.out.write(`${data} holds the hub again; it grants nothing until \`authority set\` names it anew\n`);
		return;
	}
	await terminal.out.write(`${data} holds the server again; it begins a new epoch when it starts\n`);
	await terminal.err.write('note: refunds and new devices since the backup are not in it: make them again\n');
}

/** Begins a new epoch after a loss, with the same authority. */
export async function newEpoch(options: EpochOptions, terminal: Terminal): Promise<void> {
	const { venue, json } = options;
	const store = await openStore(placeOf(options));
	try {
		const head = await store.head(venue);
		if (!head) throw new StilewardError('venue_unknown', `the store has no venue ${venue}`);
		await audit(options, { venue, act: 'epoch.begin' }, terminal);
		const server = head.authority;
		const epoch = await store.beginEpoch({ venue, server, atMs: terminal.nowMs(), lost: true });
		const text = `${venue} is in epoch ${epoch} now, granted by ${server}; before it was in ${head.epoch}\n`;
		await terminal.out.write(json ? jsonLine({ venue, epoch, before: head.epoch, server }) : text);
	} finally {
		await store.close();
	}
}

async function audit(
	options: ServerDataOptions,
	{ venue, act }: { readonly venue: string; readonly act: string },
	{ nowMs }: Terminal,
): Promise<void> {
	const office = await openOffice(placeOf(options));
	try {
		// Whoever may do this on the machine has no name here.
		await office.addAudit({ venue, atMs: nowMs(), operator: 'local', act, subject: venue, request: 'local' });
	} finally {
		await office.close();
	}
}

function placeOf({ data, store }: ServerDataOptions): DataOptions {
	return { dir: data, ...(store !== undefined && { store }) };
}
