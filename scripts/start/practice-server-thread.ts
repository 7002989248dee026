import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { destination, type Logger, pino } from 'pino';
import { assert, StilewardError } from '../../gate-agent/core/errors.ts';
import { makePrivateFolder, readIfThere, secretMode, writeDurably } from '../../sync/server/durable-file.ts';
import { type HandheldFile, type HandheldFiles, readHandheld } from '../../sync/server/http/handheld-files.ts';
import { createOperators } from '../../sync/server/office/operators.ts';
import { openOffice, type RunningServer, startServer } from '../../sync/server/start.ts';
import { openIssuer } from '../commands/server-run.ts';
import {
	administrator,
	type HandheldShown,
	type ServerAccess,
	type ServerStarted,
	type ThreadOptions,
	type ThreadOrder,
} from './practice-ticket-server.ts';

// The thread of the ticket server, started by `practice-ticket-server.ts`: it says once how it started, and ends when it
// is told to.

/** The venue that `server run` serves where it is told no other: its commands work on the practice's folder, too. */
const venue = 'venue';

async function main(): Promise<void> {
	assert(parentPort, 'this program runs as a thread');
	const port = parentPort;
	// The one who starts it is typed.
	const { dir, logFile } = workerData as ThreadOptions;
	const log = logFile === undefined ? pino({ level: 'silent' }) : pino(destination({ dest: logFile, sync: true }));
	const say = (answer: ServerStarted | HandheldShown) => port.postMessage(answer);
	const handheld = new Map<string, HandheldFile>();
	try {
		const { close, ...server } = await openTicketServer({ dir, handheld }, log);
		port.on('message', (order: ThreadOrder) => {
			if (order.kind === 'close') void close().then(() => port.close());
			else void showHandheld(handheld, order.folder).then(say);
		});
		say({ kind: 'started', server });
	} catch (error) {
		say(failureOf(error));
		port.close();
	}
}

/** Fills the table that the server sends the handheld from. */
async function showHandheld(files: Map<string, HandheldFile>, folder: string): Promise<HandheldShown> {
	try {
		for (const [path, file] of await readHandheld(folder)) files.set(path, file);
		return { kind: 'shown' };
	} catch (error) {
		return failureOf(error);
	}
}

/** A bug ends the thread, and with it the process. */
function failureOf(error: unknown): Extract<ServerStarted, { readonly kind: 'failed' }> {
	if (!(error instanceof StilewardError)) throw error;
	return { kind: 'failed', code: error.code, message: error.message };
}

interface PracticeData {
	readonly dir: string;
	/** The page of the handheld: empty until it is built. */
	readonly handheld: HandheldFiles;
}

/** Opens the server in this thread; the first start makes its keys and its administrator. */
async function openTicketServer(
	{ dir, handheld }: PracticeData,
	log: Logger,
): Promise<ServerAccess & Pick<RunningServer, 'close'>> {
	await makePrivateFolder(dir);
	const passwordFile = join(dir, 'administrator.password');
	const { password, isNew } = await ensureAdministrator(dir, passwordFile);
	const { url, fingerprint, close } = await startServer({
		...{ dir, venue, host: '127.0.0.1', port: 0, names: [], handheld, log, nowMs: Date.now },
		issuer: await openIssuer(join(dir, 'keys'), { nowMs: Date.now }),
	});
	return { url, fingerprint, password, passwordFile, isNew, close };
}

/** The administrator whose password lies in the file; a new one where either is missing. */
async function ensureAdministrator(dir: string, file: string): Promise<{ password: string; isNew: boolean }> {
	const office = await openOffice({ dir });
	try {
		const kept = (await readIfThere(file))?.trim();
		if (kept && (await office.operator(venue, administrator)) !== undefined) return { password: kept, isNew: false };
		const password = randomBytes(18).toString('base64url');
		const act = { operator: administrator, act: 'operator.put', subject: administrator, request: 'practice' };
		await office.addAudit({ venue, atMs: Date.now(), ...act });
		await createOperators({ office, nowMs: Date.now }).put({
			...{ venue, name: administrator, role: 'administrator', password },
		});
		await writeDurably(file, `${password}\n`, secretMode);
		return { password, isNew: true };
	} finally {
		await office.close();
	}
}

await main();
