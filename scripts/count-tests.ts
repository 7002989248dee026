import { readFileSync } from 'node:fs';

/** What `.ci/run` reads of a report of vitest's JSON reporter. */
interface Report {
	readonly success: boolean;
	readonly numPassedTests: number;
	readonly numFailedTests: number;
	readonly numPendingTests: number;
	readonly numTodoTests: number;
}

/** A report that is missing, or failed without a failed test (a file that does not load), counts as one failure. */
function countsOf(path: string): { passed: number; failed: number; skipped: number } {
	try {
		const report = JSON.parse(readFileSync(path, 'utf8')) as Report;
		return {
			passed: report.numPassedTests,
			failed: Math.max(report.numFailedTests, report.success ? 0 : 1),
			skipped: report.numPendingTests + report.numTodoTests,
		};
	} catch {
		return { passed: 0, failed: 1, skipped: 0 };
	}
}

const total = { passed: 0, failed: 0, skipped: 0 };
for (const path of process.argv.slice(2)) {
	const counts = countsOf(path);
	total.passed += counts.passed;
	total.failed += counts.failed;
	total.skipped += counts.skipped;
}
if (total.skipped > 0) process.stdout.write(`skipped tests: ${total.skipped}\n`);
process.stdout.write(`tests: ${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
