import { randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { callRoute, type Failure } from '../sync/client/call.ts';
import { createHttpsClient } from '../sync/node/https-client.ts';
import { createHttpsTransport } from '../sync/node/https-transport.ts';
import { nodeClock } from '../sync/node/node-clock.ts';
import { deviceIdOf } from '../sync/protocol/enroll.ts';
import type { ResponseOf } from '../sync/protocol/paths.ts';
import { problems } from '../sync/protocol/problem.ts';
import { type AgentClock, createAgentClock } from './core/agent-clock.ts';
import { StilewardError } from './core/errors.ts';
import { onlyPublic } from './core/jwk.ts';
import { type EnrolledGate, type Enrollment, noteRefusal, readEnrollment, saveEnrollment } from './enrollment.ts';
import { keepFirstConfig } from './first-config.ts';
import { openSqliteLedger } from './ledger/sqlite-ledger.ts';
import type { Logger } from './logger.ts';
import { openVenueLink } from './venue-link.ts';

/** How a gate becomes a part of a venue. */
export interface EnrollGate {
	/** `https://host:port`. */
	readonly url: string;
	/** SHA-256 of the pinned SPKI, base64url. */
	readonly fingerprint: string;
	/** One-time code of the administrator. */
	readonly code: string;
	readonly dir: string;
	/** What the server's log calls the program that enrolled. */
	readonly name: string;
	readonly version: string;
	/** Takes the place of an enrollment that is there. */
	readonly replace: boolean;
	readonly log: Logger;
}

/** What an enrollment brought. `events` is absent where the venue's state could not be loaded yet: the gate does it. */
export interface Enrolled {
	readonly enrollment: Enrollment;
	readonly events?: readonly string[];
	/** The version of the configuration that the venue has for this gate. */
	readonly config?: number;
}

const enrollTimeoutMs = 15_000;
const firstLoadMs = 60_000;
const lookMs = 50;

/**
 * Makes a device key, spends the code, keeps the enrollment, and loads keys, rules and lists, so that the gate can admit
 * without a network from its first start. Throws `keys_exist` where the folder is enrolled already, `server_*`, and
 * `ledger_busy` while its gate runs.
 */
export async function enrollGate(options: EnrollGate): Promise<Enrolled> {
	const { dir, replace } = options;
	if (!replace && (await readEnrollment(dir)) !== undefined) {
		throw new StilewardError('keys_exist', `${dir} is enrolled already; --replace enrolls it anew`);
	}
	const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
	const key = await exportJWK(privateKey);
	const gate = { enrollment: await askServer(options, key), key };
	await saveEnrollment(dir, gate);
	const events = await loadVenue(options, gate);
	const config = await keepFirstConfig(dir, gate);
	return {
		enrollment: gate.enrollment,
		...(events !== undefined && { events }),
		...(config !== undefined && { config }),
	};
}

async function askServer(options: EnrollGate, key: JWK): Promise<Enrollment> {
	const { url, fingerprint, code, name, version } = options;
	// A new box has no time yet; the pin is what counts.
	const https = createHttpsClient({ url, fingerprint, trustedNowMs: () => undefined });
	try {
		const request = { code: code.trim().toUpperCase(), key: onlyPublic(key), name, version };
		const deps = { transport: createHttpsTransport(https), clock: nodeClock };
		const outcome = await callRoute(deps, { name: 'enroll', request, timeoutMs: enrollTimeoutMs });
		if (outcome.kind === 'ok') return await enrollmentOf(options, outcome.body, key);
		// The call hides why there was no connection; this one does not.
		if (outcome.kind === 'offline') await https.send({ method: 'GET', path: '/healthz' });
		if (outcome.kind === 'refused' && outcome.code === 'code_invalid') {
			// A folder that cannot be written to must not hide why the gate was refused.
			await noteRefusal(options.dir, { url, atMs: Date.now() }).catch(() => undefined);
		}
		throw refusalOf(outcome);
	} finally {
		https.close();
	}
}

async function enrollmentOf(options: EnrollGate, body: ResponseOf<'enroll'>, key: JWK): Promise<Enrollment> {
	const { url, fingerprint } = options;
	const { device, venue, server, rootKey, timeKeys } = body;
	if (device !== (await deviceIdOf(onlyPublic(key)))) {
		throw new StilewardError('server_answer_invalid', 'the server answered for another device');
	}
	return { url, fingerprint, server, venue, device, rootKey, timeKeys };
}

function refusalOf(failure: Failure): StilewardError {
	if (failure.kind !== 'refused')
		return new StilewardError('server_answer_invalid', `enrolling failed: ${failure.kind}`);
	const [, title, hint] = problems[failure.code];
	const message = [title, failure.detail, hint].filter(Boolean).join(' ');
	return new StilewardError('server_refused', message, { cause: failure });
}

/** Follows the venue once, into the ledger that the gate will use. */
async function loadVenue(options: EnrollGate, gate: EnrolledGate): Promise<readonly string[] | undefined> {
	const { dir, log, version } = options;
	const { ledger } = await openSqliteLedger({
		...{ dir, device: gate.enrollment.device, verifyAtStart: false },
		newEpoch: () => randomBytes(6).toString('base64url'),
		log: (event, fields) => log.info({ event, ...fields }),
	});
	try {
		const link = await openVenueLink({
			...{ gate, ledger, log, agent: options.name, version, random: Math.random },
			...{ clock: untrustedClock(), claimBudgetMs: 0 },
			lanes: () => new Map(),
			onCommand: () => undefined,
		});
		const untilMs = nodeClock.monoMs() + firstLoadMs;
		await link.firstTry(firstLoadMs);
		while (link.health().state !== 'online' && nodeClock.monoMs() < untilMs) await pause();
		const isLoaded = link.health().state === 'online';
		const events = link.events();
		await link.close();
		return isLoaded ? events : undefined;
	} finally {
		await ledger.close();
	}
}

function pause(): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, lookMs));
}

/** Whatever the box takes for the time now: the server tells it. */
function untrustedClock(): AgentClock {
	const source = { systemMs: () => 0, monoMs: () => performance.now() };
	return createAgentClock(source, { floorsMs: [Date.now()], epoch: 1, onChange: () => undefined });
}
