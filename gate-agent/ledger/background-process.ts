import { StilewardError } from '../core/errors.ts';
import type { BackgroundAnswer, BackgroundTask } from './background.ts';
import { writeBackup } from './backup.ts';
import { verifyFile } from './verify-file.ts';

// Runs in a process of its own, started by `background.ts`, which is typed and the one sender. It ends with its
// answer, or with the process that asked.
process.once('disconnect', () => process.exit());
process.once('message', (task) => {
	process.send?.(answer(task as BackgroundTask), () => process.exit());
});

/** A fault crosses to the other process as its code and text: an error's class does not survive the way. */
function answer(task: BackgroundTask): BackgroundAnswer {
	try {
		if (task.kind === 'verify') return { kind: 'done', value: verifyFile(task.file) };
		writeBackup(task.file, task.path);
		return { kind: 'done' };
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		return { kind: 'failed', code: error.code, message: error.message };
	}
}
