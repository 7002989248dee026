import { type Examined, examineGate } from '../../gate-agent/checks/examine-gate.ts';
import { type Finding, type Language, plainFinding } from '../../gate-agent/checks/finding.ts';
import { surroundingsOf } from '../../gate-agent/checks/surroundings.ts';
import { exitCodes } from '../commands/exit.ts';
import { languageOf } from '../commands/language.ts';
import { jsonLine, type Terminal } from '../commands/output.ts';
import { findingsText } from './findings-text.ts';

/** The options of `doctor`. */
export interface DoctorOptions {
	readonly config: string;
	readonly set?: readonly string[];
	readonly devices?: true;
	readonly user?: string;
	readonly root?: string;
	readonly bundle?: string;
	readonly json?: true;
	readonly lang?: Language;
}

/** Examines a gate, prints what was found, and ends with `found` where there is a fault. */
export async function examine(options: DoctorOptions, terminal: Terminal): Promise<void> {
	const { config: configFile, set = [], devices = false, user, root, bundle, json } = options;
	const around = surroundingsOf(root);
	const examination = { configFile, sets: set, openDevices: devices, ...(user !== undefined && { user }) };
	const examined = await examineGate(examination, around);
	const result = resultOf(examined, around.build.version, around.systemMs());
	if (bundle !== undefined) {
		const { writeBundle } = await import('./bundle.ts');
		await writeBundle(bundle, { examined, result, around, sets: set });
	}
	if (json) await terminal.out.write(jsonLine(result));
	else await terminal.out.write(findingsText(examined.findings, languageOf(options.lang), terminal.out));
	if (bundle !== undefined && !json) await terminal.err.write(`${bundle}\n`);
	if (!result.healthy) terminal.finish(exitCodes.found);
}

/** What `--json` prints. */
export interface DoctorResult {
	readonly healthy: boolean;
	readonly faults: number;
	readonly warnings: number;
	readonly version: string;
	readonly at: string;
	readonly config: string;
	readonly findings: readonly ReturnType<typeof plainFinding>[];
}

/** The whole result as data. */
export function resultOf({ gate, findings }: Examined, version: string, nowMs: number): DoctorResult {
	const count = (state: Finding['state']) => findings.filter((each) => each.state === state).length;
	const faults = count('fault');
	return {
		...{ healthy: faults === 0, faults, warnings: count('warning'), version },
		...{ at: new Date(nowMs).toISOString(), config: gate.configFile, findings: findings.map(plainFinding) },
	};
}
