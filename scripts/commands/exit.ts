import { CommanderError } from 'commander';
import { StilewardError } from '../../gate-agent/core/errors.ts';

/**
 * How a command ends. `operating`: something outside the program is not as it must be. `usage`: the command line is
 * wrong. `found`: the command ran and its check found something wrong. `bug`: the program itself is wrong
 * (`EX_SOFTWARE` of sysexits.h).
 */
export const exitCodes = { ok: 0, operating: 1, usage: 2, found: 3, bug: 70 } as const;

/** @see exitCodes */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What a failed command tells the person who ran it; a stack only where the program itself is at fault. */
export function describeFailure(error: unknown): { readonly text: string; readonly code: ExitCode } {
	if (error instanceof CommanderError) {
		// Commander has written its own message by now, or the help that was asked for.
		return { text: '', code: error.exitCode === 0 ? exitCodes.ok : exitCodes.usage };
	}
	if (error instanceof StilewardError) {
		const code = error.code === 'usage' ? exitCodes.usage : exitCodes.operating;
		return { text: `error: ${error.message}\n  hint: ${error.hint} [${error.code}]\n`, code };
	}
	if (isSystemError(error)) {
		const { hint, code } = new StilewardError('output_failed', error.message);
		return { text: `error: ${error.message}\n  hint: ${hint} [${code}]\n`, code: exitCodes.operating };
	}
	const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
	return { text: `error: this is a bug in Stileward, please report it\n${stack}\n`, code: exitCodes.bug };
}

/** The same hint that a `StilewardError` of the command line carries, below a message of the argument parser. */
export function describeUsage(message: string): string {
	const { hint, code } = new StilewardError('usage', message);
	return `${message.trimEnd()}\n  hint: ${hint} [${code}]\n`;
}

/** What the operating system refused, e.g. `EACCES: permission denied, mkdir 'keys'`. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
	return error instanceof Error && 'syscall' in error && 'errno' in error;
}
