import { execFile } from 'node:child_process';
import { chmod, constants, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { arch, release, tmpdir, totalmem, uptime } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { readConfiguration } from '../../gate-agent/checks/configuration.ts';
import type { Examined } from '../../gate-agent/checks/examine-gate.ts';
import { serviceUnit } from '../../gate-agent/checks/service.ts';
import type { Surroundings } from '../../gate-agent/checks/surroundings.ts';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { textOf } from '../../gate-agent/nodes/sysfs.ts';
import type { DoctorResult } from './doctor.ts';
import { redactText, redactValue } from './redact.ts';

/** What an archive is made of. */
export interface BundleParts {
	readonly examined: Examined;
	readonly result: DoctorResult;
	readonly around: Surroundings;
	readonly sets: readonly string[];
}

/** Lines of the journal that are taken, the newest ones. */
const journalLines = 2_000;
const secretMode = 0o600;

/**
 * Writes an archive for support: what the doctor found, health, figures, the configuration, versions, the last lines of the
 * log and what is plugged in. Every text passes `redactText`; of the log only known fields are taken; no file of keys, no ledger
 * and no comment of the configuration is read into it. Throws `output_exists` and `output_failed`.
 */
export async function writeBundle(file: string, parts: BundleParts): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), 'stileward-bundle-'));
	try {
		const name = basename(file).replace(/\.(tar\.gz|tgz)$/, '');
		const inside = join(folder, name);
		await mkdir(inside);
		for (const [path, text] of Object.entries(await filesOf(parts))) {
			await writeFile(join(inside, path), text, { mode: secretMode });
		}
		const archive = join(folder, 'archive');
		await promisify(execFile)('tar', [
			'--owner=0',
			'--group=0',
			'--numeric-owner',
			'-C',
			folder,
			'-czf',
			archive,
			name,
		]);
		await chmod(archive, secretMode);
		await place(archive, resolve(file));
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

/** Never replaces a file. */
async function place(archive: string, file: string): Promise<void> {
	try {
		await copyFile(archive, file, constants.COPYFILE_EXCL);
		await chmod(file, secretMode);
	} catch (cause) {
		if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
			throw new StilewardError('output_exists', `${file} exists already`, { cause });
		}
		throw new StilewardError('output_failed', `${file} cannot be written in ${dirname(file)}`, { cause });
	}
}

async function filesOf({ examined, result, around, sets }: BundleParts): Promise<Readonly<Record<string, string>>> {
	const { gate } = examined;
	const { source } = readConfiguration(gate.configFile, sets);
	const { health, metrics } = gate.agent;
	return {
		'doctor.json': json(result),
		'versions.json': json(await versionsOf(around)),
		'plugged.json': json(
			gate.plugged.map(({ models, ...device }) => ({ ...device, models: models.map(({ name }) => name) })),
		),
		'journal.jsonl': await journalOf(around),
		...(source && { 'gate.yaml': stringify(redactValue(source.value)) }),
		...(health && { 'health.json': json(health) }),
		...(metrics !== undefined && { 'metrics.txt': redactText(metrics) }),
		...(await udevOf(gate.plugged, around)),
	};
}

function json(value: unknown): string {
	return `${JSON.stringify(redactValue(value), null, '\t')}\n`;
}

async function versionsOf({ build, roots, systemMs, monoMs }: Surroundings) {
	const system = /^PRETTY_NAME="?([^"\n]*)/m.exec(await textOf(roots.etc, 'os-release'))?.[1] ?? 'unknown';
	const { node, v8, openssl } = process.versions;
	return {
		...{ stileward: build.version, node, v8, openssl, system, kernel: release(), arch: arch() },
		...{ memoryMiB: Math.round(totalmem() / 1024 / 1024), upSeconds: Math.round(uptime()) },
		...{ at: new Date(systemMs()).toISOString(), monoMs: Math.round(monoMs()) },
	};
}

/** Fields of the log that say nothing of people: the rest of a line is left out, whatever it is. */
const journalFields: ReadonlySet<string> = new Set([
	...[
		'level',
		'time',
		'event',
		'lane',
		'lanes',
		'device',
		'state',
		'code',
		'problem',
		'hint',
		'reason',
		'rung',
		'outcome',
	],
	...['durationMs', 'signal', 'url', 'version', 'rows', 'alarm', 'on', 'doubt', 'standing', 'events', 'ageMs', 'what'],
	...[
		'baudRate',
		'hardware',
		'software',
		'provision',
		'differing',
		'kind',
		'host',
		'port',
		'count',
		'epoch',
		'why',
		'ignored',
	],
]);

async function journalOf({ run }: Surroundings): Promise<string> {
	const args = ['-u', serviceUnit, '-n', `${journalLines}`, '-o', 'cat', '--no-pager'];
	const ran = await run('journalctl', args);
	if (ran === undefined || ran.code !== 0) return '';
	return ran.out
		.split('\n')
		.filter((line) => line !== '')
		.map((line) => `${JSON.stringify(redactValue(knownFields(line)))}\n`)
		.join('');
}

/** Lines that are not of the agent (systemd's, a crash) are texts. */
function knownFields(line: string): unknown {
	try {
		const entry: unknown = JSON.parse(line);
		if (typeof entry !== 'object' || entry === null) return { text: line };
		return Object.fromEntries(Object.entries(entry).filter(([key]) => journalFields.has(key)));
	} catch {
		return { text: line };
	}
}

/** What udev knows of each node that is plugged in. */
async function udevOf(
	plugged: Examined['gate']['plugged'],
	{ run }: Surroundings,
): Promise<Readonly<Record<string, string>>> {
	const texts: string[] = [];
	for (const { path } of plugged) {
		const ran = await run('udevadm', ['info', '--query=property', `--name=${path}`]);
		if (ran?.code === 0) texts.push(`# ${path}\n${redactText(ran.out)}`);
	}
	return texts.length === 0 ? {} : { 'udev.txt': texts.join('\n') };
}
