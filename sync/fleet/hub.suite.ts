import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../../gate-agent/acceptance/gate.suite.ts';
import type { Venue } from '../acceptance/venue.suite.ts';

const program = fileURLToPath(new URL('../../scripts/stileward.ts', import.meta.url));

/** Enrolls a hub at a venue and starts it as a process of its own; gives its address. It ends with the test. */
export async function openHub(venue: Venue, name: string): Promise<string> {
	const data = join(temporaryFolder(), 'hub');
	const { code } = JSON.parse(await venue.done('device', 'code', '--name', name, '--hub', '--json')) as {
		code: string;
	};
	const upstream = ['--upstream', venue.url, '--fingerprint', venue.fingerprint];
	await venue.done('server', 'enroll', '--data', data, ...upstream, '--code', code);
	const args = ['server', 'run', '--role', 'hub', '--data', data, '--listen', '127.0.0.1:0'];
	const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
	onTestFinished(() => end(child));
	for await (const line of createInterface({ input: child.stdout })) {
		const { event, url } = JSON.parse(line) as { event?: string; url?: string };
		if (event !== 'ready' || url === undefined) continue;
		child.stdout.resume();
		return url;
	}
	throw new Error('the hub ended before it was ready');
}

async function end(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const ended = once(child, 'exit');
	child.kill('SIGKILL');
	await ended;
}
