import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import { onlyPublic } from '../../gate-agent/core/jwk.ts';
import { createHttpsClient, type HttpsRequest } from '../../sync/node/https-client.ts';
import { deviceIdOf } from '../../sync/protocol/enroll.ts';
import { signSegment } from '../../sync/protocol/segment-jws.ts';
import { askToken, newKey } from '../../sync/server/running-server.suite.ts';
import { type DeviceJournal, evt, journalOf, newRedemption } from '../../sync/server/testing/device-journal.ts';
import { cliCommand, runCli, temporaryFolder } from './cli.suite.ts';
import { password } from './venue.suite.ts';

const patience = { timeout: 60_000, interval: 200 };
const children = new Set<ChildProcess>();
afterAll(() => {
	for (const child of children) child.kill('SIGKILL');
});

/** A real server process that can be killed and started again at its address. */
class ServerProcess {
	readonly #args: readonly string[];
	#child: ChildProcess | undefined;
	#port = 0;
	url = '';
	fingerprint = '';

	constructor(args: readonly string[]) {
		this.#args = args;
	}

	async start(): Promise<void> {
		const command = cliCommand([...this.#args, '--listen', `127.0.0.1:${this.#port}`]);
		const child = spawn(command.file, command.args, { env: command.env, stdio: ['ignore', 'pipe', 'inherit'] });
		children.add(child);
		this.#child = child;
		for await (const line of createInterface({ input: child.stdout })) {
			const entry = JSON.parse(line);
			if (entry.event !== 'ready') continue;
			child.stdout.resume();
			this.url = entry.url;
			this.fingerprint = entry.fingerprint;
			this.#port = Number(new URL(entry.url).port);
			return;
		}
		throw new Error('it ended before it was ready');
	}

	async kill(signal: NodeJS.Signals): Promise<void> {
		const child = this.#child;
		if (child === undefined || child.exitCode !== null) return;
		child.kill(signal);
		await once(child, 'exit');
		children.delete(child);
	}
}

/** A device in this process that speaks to one server. */
async function openDevice({ url, fingerprint }: Pick<ServerProcess, 'url' | 'fingerprint'>, code: string) {
	const client = createHttpsClient({ url, fingerprint, trustedNowMs: Date.now });
	const ask = async (request: HttpsRequest, token?: string) => {
		const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
		const { status, body } = await client.send({ ...request, headers });
		return { status, body: JSON.parse(body.toString()) };
	};
	const key = await newKey();
	const enrollment = { code, key: onlyPublic(key), name: 'gate-1', version: '0.1.0' };
	expect((await ask({ method: 'POST', path: '/v1/enroll', body: enrollment })).status).toBe(200);
	const id = await deviceIdOf(onlyPublic(key));
	const journal: DeviceJournal = journalOf('venue', id);
	const { body: token } = await askToken(ask, { id, key }, { venue: 'venue' });
	const post = (path: string, body: unknown) =>
		ask({ method: 'POST', path, body }, (token as { access_token: string }).access_token);
	return {
		id,
		close: () => client.close(),
		admit: async (idx: number) => {
			const redemption = newRedemption();
			const ticket = { evt, idx, allowance: 'ticket', cls: 'adult', use: 1, uses: 1 };
			const claim = { redemption, journal: 'epoch-1', ...ticket, lane: 'lane-1', atMs: Date.now() };
			const { body } = await post('/v1/claims', { claims: [claim] });
			const [answer] = body.answers ?? [];
			if (answer?.result !== 'granted') return answer?.reason ?? body.code;
			journal.admit({ idx, redemption, rung: 'authority', taken: 1 });
			return 'granted';
		},
		push: async () => {
			const { deviceEpoch: epoch, from, to, prevHash, rows } = journal.segment(1);
			const segment = await signSegment({ device: id, epoch, from, to, prevHash, rows: [...rows] }, key);
			return post('/v1/segments', { segment });
		},
	};
}

/** A centre with an operator who is signed in, as processes. */
async function startCentre(folder: string) {
	const data = join(folder, 'centre');
	const env = { STILEWARD_HOME: join(folder, 'home') };
	const operator = ['server', 'operator', '--data', data, '--name', 'mina', '--role', 'administrator'];
	expect(await runCli([...operator, '--password-stdin'], password)).toMatchObject({ code: 0 });
	const centre = new ServerProcess(['server', 'run', '--data', data]);
	await centre.start();
	const cli = (args: readonly string[], input = '') => runCli(args, input, env);
	const json = async (args: readonly string[]) => {
		const { code, out, err } = await cli([...args, '--json']);
		expect({ code, err }).toEqual({ code: 0, err: '' });
		return JSON.parse(out);
	};
	const { url, fingerprint } = centre;
	const login = ['login', '--server', url, '--fingerprint', fingerprint, '--name', 'mina', '--password-stdin'];
	expect(await cli(login, password)).toMatchObject({ code: 0 });
	expect(await cli(['event', 'create', '--id', evt, '--class', 'adult'])).toMatchObject({ code: 0, err: '' });
	return { centre, cli, json };
}

describe('stileward with a hub', () => {
	it('is a server that nobody can start before it is enrolled', { timeout: 120_000 }, async () => {
		await using folder = await temporaryFolder();
		const hub = await runCli(['server', 'run', '--data', folder.path, '--role', 'hub']);
		expect(hub).toMatchObject({ code: 1, out: '' });
		expect(hub.err).toMatch(/\[hub_not_enrolled\]/);
		const centre = await runCli(['server', 'run', '--data', folder.path, '--upstream', 'https://127.0.0.1:1']);
		expect(centre).toMatchObject({ code: 2, out: '' });
		expect(centre.err).toMatch(/--role hub/);
	});

	it('grants on site while its centre is killed, and moves the authority as told', { timeout: 300_000 }, async () => {
		await using folder = await temporaryFolder();
		const { centre, cli, json } = await startCentre(folder.path);
		const { url, fingerprint } = centre;
		const data = join(folder.path, 'hub');
		const made = await json(['device', 'code', '--name', 'hub-1', '--hub']);
		const enroll = ['server', 'enroll', '--data', data, '--upstream', url, '--fingerprint', fingerprint];
		const enrolled = await cli([...enroll, '--code', made.code]);
		expect(enrolled).toMatchObject({ code: 0 });
		expect(enrolled.err).toMatch(/server run --role hub/);
		const again = await cli([...enroll, '--code', made.code]);
		expect(again).toMatchObject({ code: 1, out: '' });
		expect(again.err).toMatch(/\[output_exists\]/);
		const hub = new ServerProcess(['server', 'run', '--role', 'hub', '--data', data]);
		await hub.start();
		expect(hub.fingerprint).toBe(fingerprint);
		const { code } = await json(['device', 'code', '--name', 'gate-1']);
		const device = await openDevice(hub, code);
		const gate = join(folder.path, 'gate');
		const gateCode = await json(['device', 'code', '--name', 'gate-2']);
		const gateEnroll = ['gate', 'enroll', '--server', hub.url, '--fingerprint', fingerprint, '--data', gate];
		expect(await json([...gateEnroll, '--code', gateCode.code])).toMatchObject({ server: 'hub-1', events: [evt] });

		expect(await json(['authority', 'set', '--server', 'hub-1'])).toMatchObject({ epoch: 2 });
		const grants = async () => (await json(['authority', 'show'])).hubs[0]?.report;
		await expect.poll(grants, patience).toMatchObject({ grants: true, head: { epoch: 2 } });
		await centre.kill('SIGKILL');
		for (let idx = 0; idx < 50; idx++) expect(await device.admit(idx)).toBe('granted');
		for (let idx = 0; idx < 50; idx++) expect(await device.admit(idx)).toBe('in_progress');
		expect((await device.push()).body).toMatchObject({ acceptedThrough: 100 });
		// The hub itself is killed, and starts while its centre is still away.
		await hub.kill('SIGKILL');
		await hub.start();
		await centre.start();
		const shown = async () => (await json(['authority', 'show'])).now;
		await expect.poll(shown, patience).toMatchObject({ server: 'hub-1', epoch: 2, admissions: 100 });
		const text = await cli(['authority', 'show']);
		expect(text.out).toMatch(/hub-1 grants in epoch 2, 100 entries/);
		expect(await json(['case', 'list']).catch(() => undefined)).toBeUndefined();

		expect(await cli(['authority', 'set', '--server', 'centre'])).toMatchObject({ code: 0 });
		await expect.poll(shown, patience).toMatchObject({ server: 'centre', epoch: 3, here: true });
		expect(await json(['gate', 'point', '--server', url, '--data', gate])).toMatchObject({ server: 'centre' });
		expect(await device.admit(0)).toBe('already_redeemed');
		expect(await device.admit(99)).toBe('granted');
		const nobody = await cli(['authority', 'set', '--server', 'hub-9']);
		expect(nobody).toMatchObject({ code: 1, out: '' });
		device.close();
		await hub.kill('SIGTERM');
		await centre.kill('SIGTERM');
	});
});
