import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import { type Ended, runCli, startCli } from './cli.suite.ts';

/** The password of the operator of every venue under test, as a line. */
export const password = 'correct horse battery staple\n';

/** A real server process and the command line of an administrator. */
export interface Venue {
	/** Folder of the server. */
	readonly data: string;
	readonly url: string;
	readonly fingerprint: string;
	readonly env: Readonly<Record<string, string>>;
	/** Runs a command with the sessions of this venue's administrator. */
	cli(args: readonly string[], input?: string): Promise<Ended>;
	/** The same with `--json`, read line by line. */
	json(args: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
	login(pin?: string, text?: string): Promise<Ended>;
	/** Ends the server and gives its exit code. */
	end(): Promise<number | null>;
}

/** Starts a server with an operator below a folder. Pass `data` to start one whose data is there. */
export async function startVenue(folder: string, data?: string): Promise<Venue> {
	const dir = data ?? join(folder, 'server');
	const env = { STILEWARD_HOME: join(folder, 'home') };
	if (data === undefined) {
		const made = ['server', 'operator', '--data', dir, '--name', 'mina', '--role', 'administrator'];
		expect(await runCli([...made, '--password-stdin'], password)).toMatchObject({ code: 0 });
	}
	const child = startCli(['server', 'run', '--data', dir, '--listen', '127.0.0.1:0']);
	const { url, fingerprint } = await readyOf(child);
	const cli = (args: readonly string[], input = '') => runCli(args, input, env);
	return {
		data: dir,
		url,
		fingerprint,
		env,
		cli,
		json: async (args) => {
			const { code, out, err } = await cli([...args, '--json']);
			expect({ code, err }).toEqual({ code: 0, err: '' });
			return out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
		},
		login: (pin = fingerprint, text = password) =>
			cli(['login', '--server', url, '--fingerprint', pin, '--name', 'mina', '--password-stdin'], text),
		end: async () => {
			child.kill('SIGTERM');
			const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
			return code;
		},
	};
}

async function readyOf(child: ChildProcess): Promise<Pick<Venue, 'url' | 'fingerprint'>> {
	if (!child.stdout) throw new Error('it has no output');
	for await (const line of createInterface({ input: child.stdout })) {
		const entry = JSON.parse(line);
		if (entry.event === 'ready') {
			child.stdout.resume();
			return entry;
		}
	}
	throw new Error('it ended before it was ready');
}
