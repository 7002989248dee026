import type { Cursor } from '../protocol/cursor.ts';
import type { ControlChange, FeedEntry, FeedPage } from '../protocol/feed.ts';
import type { ReplicaChange } from './replica.ts';

/** Which rows of the feed are this device's own. */
export interface OwnRows {
	readonly device: string;
	readonly deviceEpoch: string;
}

/** A lane command of the feed. */
export type FeedCommand = ControlChange & { readonly kind: 'command' };

/** What to do with a page of the feed. */
export type PagePlan =
	| {
			readonly kind: 'apply';
			readonly changes: readonly ReplicaChange[];
			readonly commands: readonly FeedCommand[];
			/** Whether a configuration was pushed to this device. */
			readonly configured: boolean;
			readonly next: Cursor;
	  }
	/** Another epoch began, or entries are missing: only a snapshot brings the replica to a known state. */
	| { readonly kind: 'snapshot'; readonly why: 'epoch' | 'gap' }
	/** The server knows less than it has said before: it is not believed. */
	| { readonly kind: 'refuse'; readonly why: 'older_epoch' | 'rollback' | 'disorder' };

/**
 * Plans one page. Entries that were applied before are skipped, so a page that comes twice changes nothing; a number
 * that is missing is never stepped over.
 */
export function planPage(cursor: Cursor, page: FeedPage, own: OwnRows): PagePlan {
	const { next, entries } = page;
	if (next.epoch < cursor.epoch) return { kind: 'refuse', why: 'older_epoch' };
	if (next.epoch > cursor.epoch) return { kind: 'snapshot', why: 'epoch' };
	if (next.control < cursor.control || next.admissions < cursor.admissions) return { kind: 'refuse', why: 'rollback' };
	const at = { control: cursor.control, admissions: cursor.admissions };
	const changes: ReplicaChange[] = [];
	const commands: FeedCommand[] = [];
	let configured = false;
	for (const entry of entries) {
		if (entry.n <= at[entry.log]) continue;
		if (entry.n > at[entry.log] + 1) return { kind: 'snapshot', why: 'gap' };
		at[entry.log] = entry.n;
		if (entry.log === 'control' && entry.change.kind === 'authority') {
			if (entry.change.epoch > cursor.epoch) return { kind: 'snapshot', why: 'epoch' };
			continue;
		}
		// What an authority is asked to do shows in its own log.
		if (entry.log === 'control' && entry.change.kind === 'release') continue;
		if (entry.log === 'control' && entry.change.kind === 'config') {
			configured ||= entry.change.device === own.device;
			continue;
		}
		if (entry.log === 'control' && entry.change.kind === 'command') commands.push(entry.change);
		else changes.push(changeOf(entry, own));
	}
	if (next.control > at.control || next.admissions > at.admissions) return { kind: 'snapshot', why: 'gap' };
	if (next.control < at.control || next.admissions < at.admissions) return { kind: 'refuse', why: 'disorder' };
	return { kind: 'apply', changes, commands, configured, next };
}

function changeOf(entry: FeedEntry, own: OwnRows): ReplicaChange {
	// What is no change of the replica was taken out before; the compiler cannot follow that.
	if (entry.log === 'control')
		return entry.change as Exclude<ControlChange, { kind: 'command' | 'authority' | 'release' | 'config' }>;
	const { change } = entry;
	const { device, deviceEpoch, seq } = change;
	const isOwn = device === own.device && deviceEpoch === own.deviceEpoch;
	return isOwn && seq !== undefined ? { kind: 'own_admission', seq, change } : { kind: 'admission', change };
}
