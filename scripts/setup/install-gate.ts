import { chmod, chown, copyFile, cp, lstat, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pino } from 'pino';
import { parseDocument } from 'yaml';
import type { ServiceUser } from '../../gate-agent/checks/service-user.ts';
import { loadConfig } from '../../gate-agent/config.ts';
import { parseConfig } from '../../gate-agent/config-source.ts';
import { enrollGate } from '../../gate-agent/enroll-gate.ts';
import { enrollmentFiles } from '../../gate-agent/enrollment.ts';
import { publicMode, replaceKeyFile } from '../../gate-agent/keys/key-files.ts';
import type { Joining } from './gate-plan.ts';
import type { Undo } from './undo.ts';

/** The configuration: the service's group reads it, nobody else. */
const configMode = 0o640;

/** Adds `path.to.key=value` settings to the text of a configuration; its comments stay. Throws `config_invalid`. */
export function withSettings(text: string, sets: readonly string[]): string {
	if (sets.length === 0) return text;
	const document = parseDocument(text);
	for (const set of sets) {
		const { value } = parseConfig('--set', '{}', [set]);
		const keys = set.slice(0, set.indexOf('=')).split('.');
		const leaf = keys.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], value);
		// The parts of a list are numbered.
		document.setIn(
			keys.map((key) => (/^\d+$/.test(key) ? Number(key) : key)),
			leaf,
		);
	}
	return document.toString({ lineWidth: 0 });
}

/** What is written, where, and for whom. */
export interface Installation {
	readonly configFile: string;
	readonly text: string;
	readonly data: string;
	readonly joining: Joining;
	readonly agent: string;
	readonly version: string;
	/** Who runs the gate; absent where this user may not give files away. */
	readonly owner?: ServiceUser;
	/** What the old configuration is kept as. */
	readonly keptAs: string;
}

/** What became of it. */
export interface Installed {
	readonly venue?: string;
	readonly kept?: string;
}

/**
 * Enrolls the gate, writes its configuration and gives both to their owner. Each step that was done is told to `undo`, so that
 * whoever ends it half-way finds everything as it was; a code that was spent stays spent. Throws `server_*`, `output_failed`,
 * `config_invalid`.
 */
export async function installGate(installation: Installation, undo: Undo, signal: AbortSignal): Promise<Installed> {
	const { configFile, data, owner } = installation;
	await prepareData(data, undo);
	signal.throwIfAborted();
	const venue = await joinVenue(installation, undo);
	signal.throwIfAborted();
	const kept = await writeConfig(installation, undo);
	// It is read as the gate will read it; whatever is wrong takes everything back.
	loadConfig({ file: configFile });
	if (owner) await giveTo(owner, data, configFile);
	signal.throwIfAborted();
	return { ...(venue !== undefined && { venue }), ...(kept && { kept: installation.keptAs }) };
}

/** A folder that was not there is gone after an undo; one that was keeps what it had. */
async function prepareData(data: string, undo: Undo): Promise<void> {
	if (await exists(data)) {
		const copy = await mkdtemp(join(tmpdir(), 'stileward-enrollment-'));
		for (const file of Object.values(enrollmentFiles))
			await copyFile(join(data, file), join(copy, file)).catch(() => {});
		const before = await readdir(copy);
		undo.push(async () => {
			for (const file of Object.values(enrollmentFiles))
				if (!before.includes(file)) await rm(join(data, file), { force: true });
			await cp(copy, data, { recursive: true, force: true });
		});
		return;
	}
	const first = await mkdir(data, { recursive: true, mode: 0o700 });
	undo.push(() => rm(first ?? data, { recursive: true, force: true }));
}

async function joinVenue({ joining, data, agent, version }: Installation, undo: Undo): Promise<string | undefined> {
	if (joining.kind !== 'enroll') return joining.kind === 'enrolled' ? joining.venue : undefined;
	const hadLedger = await exists(join(data, 'ledger.db'));
	const { enrollment } = await enrollGate({
		...{ ...joining.link, dir: data, replace: joining.replace, name: agent, version },
		// What a technician must know is said by the assistant; the log of this one load is noise.
		log: pino({ level: 'silent' }),
	});
	undo.push(async () => {
		if (hadLedger) return;
		for (const file of await readdir(data)) if (file.startsWith('ledger.')) await rm(join(data, file), { force: true });
	});
	return enrollment.venue;
}

async function writeConfig({ configFile, text, keptAs }: Installation, undo: Undo): Promise<boolean> {
	const dir = dirname(configFile);
	const isNew = !(await exists(configFile));
	const first = await mkdir(dir, { recursive: true, mode: 0o755 });
	if (first !== undefined) undo.push(() => rm(first, { recursive: true, force: true }));
	if (!isNew) {
		await copyFile(configFile, keptAs);
		undo.push(async () => {
			await copyFile(keptAs, configFile);
			await rm(keptAs);
		});
	} else undo.push(() => rm(configFile, { force: true }));
	await replaceKeyFile(dir, { file: basename(configFile), text, mode: publicMode });
	await chmod(configFile, configMode);
	return !isNew;
}

async function giveTo({ uid, gids: [gid = uid] }: ServiceUser, data: string, configFile: string): Promise<void> {
	await chown(configFile, 0, gid);
	for (const path of [data, ...(await readdir(data, { recursive: true })).map((name) => join(data, name))]) {
		// A link's target is somebody else's.
		if (!(await lstat(path)).isSymbolicLink()) await chown(path, uid, gid);
	}
}

/** Whether a path is there. */
export function exists(path: string): Promise<boolean> {
	return stat(path).then(
		() => true,
		() => false,
	);
}
