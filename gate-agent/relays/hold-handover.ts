import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StilewardError } from '../core/errors.ts';

/** How long the holder may take to tell what it holds, ms. */
const tellMs = 1_000;

/** A holder that cannot listen keeps what it holds, and tries again. */
const listenAgainMs = 1_000;

/** What the next one says when it is ready to take the lines. */
const word = 'take';

/** Bytes of a word or of levels; more is nobody of ours. */
const bytesMax = 64;

/** Where holders of the same lines meet: a socket in a folder that only this user can enter. */
export function holdName(chipPath: string, offsets: readonly number[]): string {
	return join(runFolder(), `${basename(chipPath)}-${offsets.join('-')}.hold`);
}

/**
 * The folder of the service where there is one, else one of this user's own. Throws `device_denied` where somebody else could
 * enter it: who connects there ends a hold.
 */
function runFolder(): string {
	const uid = process.getuid?.() ?? 0;
	const service = '/run/stileward';
	if (isOwn(service, uid)) return service;
	const own = join(tmpdir(), `stileward-${uid}`);
	mkdirSync(own, { mode: 0o700, recursive: true });
	if (isOwn(own, uid)) return own;
	throw new StilewardError('device_denied', `${own} belongs to somebody else, or is open to others: remove it`);
}

function isOwn(folder: string, uid: number): boolean {
	const stats = lstatSync(folder, { throwIfNoEntry: false });
	return stats?.isDirectory() === true && stats.uid === uid && (stats.mode & 0o077) === 0;
}

/** Asks the watchdog of an agent that died for what it holds, and takes it; undefined where somebody else has the lines. */
export function takeOver(name: string): Promise<readonly boolean[] | undefined> {
	return new Promise((resolve) => {
		let text = '';
		const socket = createConnection(name, () => socket.write(word));
		const timer = setTimeout(() => socket.destroy(), tellMs);
		socket.setEncoding('utf8');
		socket.on('data', (part: string) => {
			text = (text + part).slice(0, bytesMax);
		});
		socket.on('error', () => {});
		socket.on('close', () => {
			clearTimeout(timer);
			resolve(/^[01]+$/.test(text) ? [...text].map((bit) => bit === '1') : undefined);
		});
	});
}

/** Waits for the next watchdog and tells it the levels. Resolves when it has them: then, and only then, this one lets go. */
export async function handOver(name: string, read: () => Promise<readonly boolean[]>): Promise<void> {
	for (;;) {
		try {
			return await listenOnce(name, read);
		} catch {
			await delay(listenAgainMs);
		}
	}
}

function listenOnce(name: string, read: () => Promise<readonly boolean[]>): Promise<void> {
	// One that was killed has left its socket; nobody else of this user holds these lines.
	rmSync(name, { force: true });
	return new Promise((resolve, reject) => {
		const server = createServer((socket) => {
			let text = '';
			socket.setEncoding('utf8');
			socket.on('error', () => {});
			socket.on('data', async (part: string) => {
				text = (text + part).slice(0, bytesMax);
				if (text !== word) return;
				const levels = await read().catch(() => undefined);
				if (levels === undefined) {
					socket.destroy();
					return;
				}
				socket.end(levels.map((level) => (level ? '1' : '0')).join(''), () => {
					server.close();
					rmSync(name, { force: true });
					resolve();
				});
			});
		});
		server.on('error', reject);
		server.listen(name);
	});
}
