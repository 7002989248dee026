import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { HttpCall } from '../../sync/client/transport.ts';
import type { UpdateReport } from '../../sync/protocol/release.ts';
import { signRelease } from '../core/release.ts';
import { ed25519Jwk, rootJwk } from '../core/test-issuer.suite.ts';
import { followUpdate, type UpdateFollowerDeps } from './update-follower.ts';
import { requestFile, resultFile } from './update-request.ts';
import { wantedUpdate } from './update-window.ts';

/** Three in the morning at the venue. */
const nightMs = Date.parse('2026-11-22T03:00:00+08:00');

/** A server that has versions of the program, and a line that may break. */
async function openServer(versions: readonly string[], key = rootJwk) {
	const packages = new Map<string, Buffer>();
	const releases = new Map<string, string>();
	for (const version of versions) {
		const bytes = Buffer.from(`package ${version} `.repeat(2_000));
		const sha256 = createHash('sha256').update(bytes).digest('hex');
		packages.set(sha256, bytes);
		const release = { version, arch: 'amd64', bytes: bytes.length, sha256, issuedAt: 1_790_000_000 } as const;
		releases.set(version, await signRelease(release, key));
	}
	const line = { breaksAfter: Number.POSITIVE_INFINITY, sent: 0 };
	const chunksOf = async function* (bytes: Buffer) {
		for (let at = 0; at < bytes.length; at += 1_000) {
			if (line.sent >= line.breaksAfter) throw new Error('the line broke');
			const chunk = bytes.subarray(at, at + 1_000);
			line.sent += chunk.length;
			yield chunk;
		}
	};
	const deps: Pick<UpdateFollowerDeps, 'session' | 'transport'> = {
		session: {
			call: async (_, request) => {
				const release = releases.get((request as { readonly version: string }).version);
				if (release === undefined) return { kind: 'refused', code: 'not_found' } as never;
				return { kind: 'ok', body: { release } } as never;
			},
			token: async () => ({ kind: 'ok', body: 'token' }),
		},
		transport: {
			send: () => Promise.reject(new Error('nothing is sent')),
			open: async ({ path, headers }: HttpCall) => {
				const bytes = packages.get(/sha256=([0-9a-f]{64})$/.exec(path)?.[1] ?? '') ?? Buffer.alloc(0);
				const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
				const chunks = chunksOf(bytes.subarray(start));
				return { status: start > 0 ? 206 : 200, contentType: 'application/vnd.debian.binary-package', chunks };
			},
		},
	};
	return { deps, line, packages };
}

interface Gate {
	readonly dir: string;
	readonly results: string;
	readonly reports: UpdateReport[];
	/** Looks once, and again where the next wait is short. */
	look(changes?: Partial<UpdateFollowerDeps>): Promise<UpdateReport | undefined>;
	request(): { readonly next: { readonly file: string } } | undefined;
}

function openGate(deps: Pick<UpdateFollowerDeps, 'session' | 'transport'>): Gate {
	const root = mkdtempSync(join(tmpdir(), 'update-'));
	onTestFinished(() => rmSync(root, { recursive: true, force: true }));
	const [dir, results] = [join(root, 'gate/updates'), join(root, 'updates')];
	mkdirSync(results);
	const reports: UpdateReport[] = [];
	return {
		...{ dir, results, reports },
		look: async (changes = {}) => {
			const ended = new AbortController();
			await followUpdate({
				...{ ...deps, dir, results, arch: 'amd64', rootKey: rootJwk, running: '1.0.0', timeZone: 'Asia/Shanghai' },
				wanted: wantedUpdate({ version: '1.1.0', window: '02:00-05:00' }),
				nowMs: () => nightMs,
				busy: () => false,
				onReport: (report) => reports.push(report),
				signal: ended.signal,
				sleep: async () => ended.abort(),
				...changes,
			});
			return reports.at(-1);
		},
		request: () => {
			const files = readdirSync(dir);
			return files.includes(requestFile) ? JSON.parse(readFileSync(join(dir, requestFile), 'utf8')) : undefined;
		},
	};
}

test('a gate fetches both versions and asks in the hours that it was given', async () => {
	const { deps, packages } = await openServer(['1.0.0', '1.1.0']);
	const gate = openGate(deps);
	expect(await gate.look()).toEqual({ version: '1.1.0', state: 'asked' });
	const { file } = gate.request()?.next ?? { file: '' };
	expect(packages.get(file.replace('.deb', ''))).toEqual(readFileSync(join(gate.dir, file)));
	expect(await gate.look()).toMatchObject({ state: 'asked', why: /is stileward-update\.path enabled/ });
});

test.each<[string, Partial<UpdateFollowerDeps>, RegExp]>([
	['by day', { nowMs: () => nightMs + 6 * 3_600_000 }, /until 02:00/],
	['while a lane is in use', { busy: () => true }, /in use/],
	['before the clock is trusted', { nowMs: () => undefined }, /clock/],
])('a gate waits %s, with everything fetched', async (_, changes, why) => {
	const { deps } = await openServer(['1.0.0', '1.1.0']);
	const gate = openGate(deps);
	expect(await gate.look(changes)).toMatchObject({ state: 'waiting', why });
	expect(gate.request()).toBeUndefined();
	expect(readdirSync(gate.dir)).toHaveLength(2);
});

test('a gate that only waits asks its server nothing more', async () => {
	const { deps } = await openServer(['1.0.0', '1.1.0']);
	let asked = 0;
	const session: typeof deps.session = {
		...deps.session,
		call: (...call) => {
			asked += 1;
			return deps.session.call(...call);
		},
	};
	let looks = 0;
	const gate = openGate({ ...deps, session });
	const ended = new AbortController();
	const sleep = async () => {
		looks += 1;
		if (looks === 20) ended.abort();
	};
	await gate.look({ busy: () => true, signal: ended.signal, sleep });
	expect([gate.reports.at(-1)?.state, looks, asked]).toEqual(['waiting', 20, 2]);
});

test('a line that breaks again and again carries a package all the same, each byte once', async () => {
	const { deps, line, packages } = await openServer(['1.0.0', '1.1.0']);
	const gate = openGate(deps);
	const all = [...packages.values()].reduce((sum, { length }) => sum + length, 0);
	let tries = 0;
	line.breaksAfter = 9_000;
	for (; (await gate.look())?.state === 'fetching'; tries += 1) line.breaksAfter = line.sent + 9_000;
	line.breaksAfter = Number.POSITIVE_INFINITY;
	expect(tries).toBeGreaterThan(3);
	expect([gate.reports.at(-1)?.state, line.sent]).toEqual(['asked', all]);
});

test('what the root key has not signed, another package and one that is too long are not kept', async () => {
	const forged = openGate((await openServer(['1.0.0', '1.1.0'], ed25519Jwk)).deps);
	expect(await forged.look()).toMatchObject({ state: 'fetching', why: /another root key/ });
	for (const spoil of [(bytes: Buffer) => bytes.fill(0, 100, 200), (bytes: Buffer) => Buffer.concat([bytes, bytes])]) {
		const { deps, packages } = await openServer(['1.0.0', '1.1.0']);
		for (const [sha256, bytes] of packages) packages.set(sha256, spoil(bytes));
		const gate = openGate(deps);
		expect(await gate.look()).toMatchObject({ state: 'fetching', why: /what came is not|more came/ });
		expect(readdirSync(gate.dir).filter((name) => name.endsWith('.deb'))).toEqual([]);
	}
});

test('without the version that runs there is no way back, and nothing is asked for', async () => {
	const gate = openGate((await openServer(['1.1.0'])).deps);
	expect(await gate.look()).toMatchObject({ state: 'fetching', why: /no version 1\.0\.0/ });
	expect(gate.request()).toBeUndefined();
});

test('a version that was taken back is not tried again, another one is', async () => {
	const { deps } = await openServer(['1.0.0', '1.1.0', '1.2.0']);
	const gate = openGate(deps);
	const result = { kind: 'rolled_back', version: '1.1.0', why: 'lane-1 does not work' };
	writeFileSync(join(gate.results, resultFile), JSON.stringify(result));
	expect(await gate.look()).toMatchObject({ state: 'refused', why: 'rolled_back: lane-1 does not work' });
	const wanted = wantedUpdate({ version: '1.2.0', window: '00:00-00:00' });
	expect(await gate.look({ wanted })).toMatchObject({ version: '1.2.0', state: 'asked' });
	expect(await gate.look({ running: '1.1.0' })).toMatchObject({ state: 'installed' });
});

test('packages of other versions do not stay', async () => {
	const { deps } = await openServer(['1.0.0', '1.1.0', '1.2.0']);
	const gate = openGate(deps);
	await gate.look({ busy: () => true });
	await gate.look({ busy: () => true, wanted: wantedUpdate({ version: '1.2.0', window: '02:00-05:00' }) });
	expect(readdirSync(gate.dir)).toHaveLength(2);
});
