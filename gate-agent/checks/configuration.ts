import { readFileSync } from 'node:fs';
import { checkConfig, type GateConfig, standaloneOf } from '../config.ts';
import { type ConfigSource, parseConfig } from '../config-source.ts';
import { StilewardError } from '../core/errors.ts';
import { readRefusal } from '../enrollment.ts';
import { openConfigState } from '../fleet/config-state.ts';
import { judgePushed } from '../pushed-config.ts';
import type { Check } from './check.ts';
import { type Finding, found } from './finding.ts';
import { iso } from './iso-time.ts';

/** A configuration as far as it can be read, and what is wrong with it. */
export interface ReadConfiguration {
	readonly config?: GateConfig;
	/** The written data, also of a configuration that is not valid; absent where it is not even YAML. */
	readonly source?: ConfigSource;
	readonly findings: readonly Finding[];
}

/** Reads a configuration for the checks: nothing is thrown for what is wrong with it. */
export function readConfiguration(file: string, sets: readonly string[]): ReadConfiguration {
	let text: string;
	try {
		text = readFileSync(file, 'utf8');
	} catch (cause) {
		const { code = 'unknown' } = cause as NodeJS.ErrnoException;
		return { findings: [found(code === 'ENOENT' ? 'config_missing' : 'config_unreadable', file, { error: code })] };
	}
	const source = attempt(() => parseConfig(file, text, sets), 'config_not_yaml', file);
	// After the first mistake YAML is read wrongly, so that the others may be none.
	if (Array.isArray(source)) return { findings: source.slice(0, 1) };
	const read = { source: source as ConfigSource };
	const config = attempt(() => checkConfig(read.source), 'config_invalid', file);
	if (Array.isArray(config)) return { ...read, findings: config };
	return { ...read, config: config as GateConfig, findings: [] };
}

function attempt<T>(step: () => T, code: 'config_not_yaml' | 'config_invalid', file: string): T | readonly Finding[] {
	try {
		return step();
	} catch (error) {
		return problemsOf(error).map((problem) => found(code, file, { problem }));
	}
}

/** The message of `config_invalid` has a line that counts, and one line for each problem. */
function problemsOf(error: unknown): readonly string[] {
	if (!(error instanceof StilewardError)) throw error;
	const [head = '', ...lines] = error.message.split('\n').map((line) => line.trim());
	return lines.length > 0 ? lines : [head];
}

/** What the venue's server has pushed to a gate, on top of its own file. */
export interface PushedConfiguration {
	/** What the gate runs by; absent where nothing was pushed, or what was pushed does not fit any more. */
	readonly config?: GateConfig;
	readonly version?: number;
	readonly refused?: { readonly version: number; readonly why: string };
}

/** Reads what was pushed to the device of a data folder: what is on trial, else what has proven itself. */
export async function readPushed(own: ConfigSource, dir: string, device: string): Promise<PushedConfiguration> {
	const state = await openConfigState(dir).load();
	if (state === undefined || state === 'damaged' || state.device !== device) return {};
	const offer = state.trial ?? state.confirmed;
	const judged = offer && judgePushed(own, offer, state.gate);
	const { refused } = state;
	return {
		...(offer && judged?.kind === 'valid' && { config: judged.config, version: offer.version }),
		...(refused && { refused: { version: refused.version, why: refused.why } }),
	};
}

/** Whether the configuration is there, valid, and enough for a gate to run by. */
export const configurationCheck: Check = {
	name: 'configuration',
	run: async ({ config, configFile, configurationFindings, enrolled, ...gate }) => {
		if (config === undefined) return configurationFindings;
		const mayBeEnrolled = enrolled !== undefined || gate.enrollmentHidden || gate.enrollmentProblem !== undefined;
		const missing = mayBeEnrolled ? [] : missingOf(config);
		if (missing.length > 0) {
			const refusal = await readRefusal(config.dataDir);
			return [
				found('not_enrolled', configFile, { missing: missing.join(', ') }),
				...(refusal ? [found('enroll_code_used', refusal.url, { at: iso(refusal.atMs) })] : []),
			];
		}
		const { version, refused } = gate.pushed ?? {};
		const evidence = {
			lanes: config.lanes.length,
			agent: config.agent,
			...(version !== undefined && { pushed: version }),
		};
		return [
			found('configuration_ok', configFile, evidence),
			...(refused && refused.version > (version ?? 0) ? [found('pushed_config_refused', configFile, refused)] : []),
		];
	},
};

function missingOf(config: GateConfig): readonly string[] {
	try {
		standaloneOf(config);
		return [];
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		return [...(config.policy ? [] : ['event']), ...(config.keysDir ? [] : ['keys'])];
	}
}
