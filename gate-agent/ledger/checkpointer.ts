import type { DriverIo } from '../core/device.ts';
import { type Connection, checkpoint, walBacklogBytes, walBytesMax } from './connection.ts';

/** Nothing was written for this long: a good moment to copy the write-ahead log back. */
const idleMs = 5_000;

/** Rows written between two looks at the size of the write-ahead log; each is a few pages of it at most. */
const rowsPerLook = 64;

/** Copies the write-ahead log back when nothing is written for a while, at the next free moment when it is large. */
export interface Checkpointer {
	/** Called after each commit with the rows that it wrote. Never throws. */
	wrote(db: Connection, rows: number): void;
	stop(): void;
}

/** A failed checkpoint is logged as `ledger_checkpoint_failed`: the rows are safe in the log all the same. */
export function createCheckpointer({ nowMs, log }: Pick<DriverIo, 'nowMs' | 'log'>): Checkpointer {
	let timer: NodeJS.Timeout | undefined;
	let rowsSinceLook = 0;
	let lastWriteMs = 0;

	function run(db: Connection): void {
		if (!db.open) return;
		try {
			checkpoint(db, 'PASSIVE');
		} catch (error) {
			log('ledger_checkpoint_failed', { message: String(error) });
		}
	}

	function look(db: Connection): void {
		rowsSinceLook = 0;
		const backlog = walBacklogBytes(db);
		// A load without pauses leaves no free moment; then one visitor waits, so that the log stays bounded.
		if (backlog > 2 * walBytesMax) run(db);
		else if (backlog > walBytesMax) setImmediate(() => run(db));
	}

	function arm(db: Connection): void {
		timer ??= setTimeout(() => {
			timer = undefined;
			if (nowMs() - lastWriteMs < idleMs) arm(db);
			else run(db);
		}, idleMs).unref();
	}

	return {
		wrote(db, rows) {
			rowsSinceLook += rows;
			lastWriteMs = nowMs();
			if (rowsSinceLook >= rowsPerLook) look(db);
			arm(db);
		},
		stop() {
			clearTimeout(timer);
			timer = undefined;
		},
	};
}
