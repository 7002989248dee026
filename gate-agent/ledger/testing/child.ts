import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A program under test: its lines so far, and an end that waits for it. */
export interface Child {
	readonly pid: number;
	readonly lines: readonly string[];
	/** Resolves once `seen` is true of the lines; rejects when the program ends before, or after 30 s. */
	until(seen: (lines: readonly string[]) => boolean): Promise<void>;
	kill(signal: NodeJS.Signals): void;
	readonly ended: Promise<void>;
}

/** Starts a program of this folder. `command` stands before Node, e.g. `unshare`. */
export function startProgram(name: string, args: readonly string[], command: readonly string[] = []): Child {
	const [file = process.execPath, ...before] = [...command, process.execPath];
	return watch(spawn(file, [...before, programPath(name), ...args], { stdio: ['ignore', 'pipe', 'inherit'] }));
}

/** Where a program of this folder lies. */
export function programPath(name: string): string {
	return fileURLToPath(new URL(`./${name}`, import.meta.url));
}

function watch(child: ChildProcess): Child {
	const lines: string[] = [];
	const waiting = new Set<() => void>();
	let rest = '';
	let over = false;
	const wake = () => {
		for (const look of waiting) look();
	};
	child.stdout?.setEncoding('utf8').on('data', (text: string) => {
		const parts = (rest + text).split('\n');
		rest = parts.pop() ?? '';
		lines.push(...parts);
		wake();
	});
	const ended = new Promise<void>((resolve) => {
		child.once('close', () => {
			over = true;
			wake();
			resolve();
		});
	});
	const until = (seen: (lines: readonly string[]) => boolean) =>
		new Promise<void>((resolve, reject) => {
			const deadline = setTimeout(() => reject(new Error('the program did not get there in 30 s')), 30_000);
			const look = () => {
				if (!seen(lines) && !over) return;
				waiting.delete(look);
				clearTimeout(deadline);
				if (seen(lines)) resolve();
				else reject(new Error('the program ended before'));
			};
			waiting.add(look);
			look();
		});
	return { pid: child.pid ?? 0, lines, until, kill: (signal) => void child.kill(signal), ended };
}
