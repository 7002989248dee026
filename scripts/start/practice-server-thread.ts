import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { destination, type Logger, pino } from 'pino';
import { assert, StilewardError } from '../../gate-agent/core/errors.ts';
import { makePrivateFolder, readIfThere, secretMode, writeDurably } from '../../sync/server/durable-file.ts';
import { createOperators } from '../../sync/server/office/operators.ts';
import { openOffice, type RunningServer, startServer } from '../../sync/server/start.ts';
import { openIssuer } from '../commands/server-run.ts';
import { administrator, type ServerAccess, type ServerStarted, type ThreadOptions } from './practice-ticket-server.ts';

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
	const say = (started: ServerStarted) => port.postMessage(started);
	try {
		const { close, ...server } = await openTicketServer(dir, log);
		port.once('message', () => void close().then(() => port.close()));
		say({ kind: 'started', server });
	} catch (error) {
		// A bug ends the thread, and with it the process.
		if (!(error instanceof StilewardError)) throw error;
		say({ kind: 'failed', code: error.code, message: error.message });
		port.close();
	}
}

/** Opens the server in this thread; the first start makes its keys and its administrator. */
async function openTicketServer(dir: string, log: Logger): Promise<ServerAccess & Pick<RunningServer, 'close'>> {
	await makePrivateFolder(dir);
	const passwordFile = join(dir, 'administrator.password');
	const { password, isNew } = await ensureAdministrator(dir, passwordFile);
	const { url, fingerprint, close } = await startServer({
		...{ dir, venue, host: '127.0.0.1', port: 0, names: [], log, nowMs: Date.now },
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
