import type { ServerDisk } from './server-disk.ts';
import type { Watch } from './watch.ts';

/** Looks at the authority's disk again and again: what stands there once must stay. */
export interface Audit {
	look(): void;
	/** The authority came back from an old copy: its logs and cases go on from there, in an epoch of their own. */
	newLineage(): void;
}

interface LogRow {
	readonly epoch: number;
	readonly n: number;
	readonly change: string;
}

interface WinnerRow {
	readonly case_id: string;
	readonly device: string;
	readonly redemption: string;
}

const winners = `
	SELECT f.case_id, f.device, f.redemption FROM case_redemptions f
	JOIN redemptions r ON r.venue_id = f.venue_id AND r.device = f.device AND r.redemption = f.redemption
	ORDER BY f.case_id, r.taken_epoch, r.taken_n`;

/** Makes an audit of the disk that is the authority's at each look. */
export function createAudit(disk: () => ServerDisk, watch: Watch): Audit {
	/** Entries by `log epoch n`. The control log knows no epochs: its numbers go on through all of them. */
	const entries = new Map<string, string>();
	const won = new Map<string, string>();

	function lookAtLog(log: string, rows: readonly LogRow[]): void {
		let before: LogRow | undefined;
		for (const row of rows) {
			const name = `${log} ${row.epoch} ${row.n}`;
			const known = entries.get(name);
			if (known !== undefined && known !== row.change) {
				watch.found('I10', `entry ${name} stood for ${known} and now stands for ${row.change}`);
			}
			if (log === 'admissions' && row.n !== (before?.epoch === row.epoch ? before.n + 1 : 1)) {
				watch.found('I10', `the admissions log of epoch ${row.epoch} has a gap before ${row.n}`);
			}
			entries.set(name, row.change);
			before = row;
		}
	}

	return {
		look: () => {
			const { read } = disk();
			lookAtLog('control', read<LogRow>('SELECT 0 AS epoch, n, change FROM control_log ORDER BY n'));
			lookAtLog('admissions', read<LogRow>('SELECT epoch, n, change FROM admission_log ORDER BY epoch, n'));
			const first = new Map<string, string>();
			for (const { case_id, device, redemption } of read<WinnerRow>(winners)) {
				if (!first.has(case_id)) first.set(case_id, `${device} ${redemption}`);
			}
			for (const [id, winner] of first) {
				const known = won.get(id);
				if (known !== undefined && known !== winner) {
					watch.found('I7', `the winner of ${id} was ${known} and is now ${winner}`);
				}
				won.set(id, winner);
			}
		},
		newLineage: () => won.clear(),
	};
}
