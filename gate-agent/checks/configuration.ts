import { readFileSync } from 'node:fs';
import { checkConfig, type GateConfig, standaloneOf } from '../config.ts';
import { type ConfigSource, parseConfig } from '../config-source.ts';
import { StilewardError } from '../core/errors.ts';
import type { Check } from './check.ts';
import { type Finding, found } from './finding.ts';

/** A configuration as far as it can be read, and what is wrong with it. */
export interface ReadConfiguration {
	readonly config?: GateConfig;
	/** The written data, also of a configuration that is not valid; absent where it is not even YAML. */
	readonly written?: unknown;
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
	const { value: written } = source as ConfigSource;
	const config = attempt(() => checkConfig(source as ConfigSource), 'config_invalid', file);
	if (Array.isArray(config)) return { written, findings: config };
	return { written, config: config as GateConfig, findings: [] };
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

/** Whether the configuration is there, valid, and enough for a gate to run by. */
export const configurationCheck: Check = {
	name: 'configuration',
	run: async ({ config, configFile, configurationFindings, enrolled, ...gate }) => {
		if (config === undefined) return configurationFindings;
		const mayBeEnrolled = enrolled !== undefined || gate.enrollmentHidden || gate.enrollmentProblem !== undefined;
		const missing = mayBeEnrolled ? [] : missingOf(config);
		if (missing.length > 0) return [found('not_enrolled', configFile, { missing: missing.join(', ') })];
		return [found('configuration_ok', configFile, { lanes: config.lanes.length, agent: config.agent })];
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
