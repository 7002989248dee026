import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a script in the box came to. */
export interface ScriptResult {
	readonly code: number;
	readonly output: string;
}

/** Root's shell in the box, over its second serial port. */
export interface GuestShell {
	/** Resolves when the box has booted. Rejects with `what` it waited for where it does not within `limitMs`. */
	booted(limitMs: number): Promise<void>;
	/** Runs a script of bash to its end, whatever its exit code. */
	run(script: string): Promise<ScriptResult>;
	/** Runs a script, and rejects with what it printed where its exit code is not 0. */
	must(script: string): Promise<string>;
	/** Runs a script again and again until it ends with 0. */
	until(script: string, limitMs: number): Promise<string>;
	/** Sends a script whose answer may never come: the machine goes down. */
	send(script: string): void;
}

/** A script may install a package on an emulated processor that many share. */
const scriptMs = 15 * 60_000;
const betweenTriesMs = 500;

/** Speaks to `guest/box-shell.sh`. */
export function createGuestShell(guest: Socket): GuestShell {
	const waiting = new Map<number, (result: ScriptResult) => void>();
	let count = 0;
	const expectAnswer = (id: number, what: string, limitMs: number): Promise<ScriptResult> => {
		const answered = new Promise<ScriptResult>((resolve) => waiting.set(id, resolve));
		const late = sleep(limitMs, undefined, { ref: false }).then(() => {
			throw new Error(`no answer within ${limitMs / 1000} s: ${what}`);
		});
		return Promise.race([answered, late]);
	};
	const boot = Promise.withResolvers<ScriptResult>();
	waiting.set(0, boot.resolve);
	guest.on('error', () => undefined);
	createInterface({ input: guest }).on('line', (line) => {
		const [id, code, output = ''] = line.split(' ');
		waiting.get(Number(id))?.({ code: Number(code), output: Buffer.from(output, 'base64').toString().trim() });
		waiting.delete(Number(id));
	});
	const send = (script: string): number => {
		count += 1;
		guest.write(`${count} ${Buffer.from(script).toString('base64')}\n`);
		return count;
	};
	const run = (script: string) => expectAnswer(send(script), script, scriptMs);
	const must = async (script: string) => {
		const { code, output } = await run(script);
		if (code !== 0) throw new Error(`${script}\nended with ${code}:\n${output}`);
		return output;
	};
	return {
		run,
		must,
		send: (script) => void send(script),
		booted: async (limitMs) => {
			const late = sleep(limitMs, undefined, { ref: false }).then(() => {
				throw new Error(`the box did not boot within ${limitMs / 1000} s`);
			});
			await Promise.race([boot.promise, late]);
		},
		until: async (script, limitMs) => {
			const giveUpMs = performance.now() + limitMs;
			for (;;) {
				const { code, output } = await run(script);
				if (code === 0) return output;
				if (performance.now() > giveUpMs) throw new Error(`not within ${limitMs / 1000} s: ${script}\n${output}`);
				await sleep(betweenTriesMs);
			}
		},
	};
}
