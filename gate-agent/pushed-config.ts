import { type ConfigOffer, fleetParts, whyNotPushable } from '../sync/protocol/gate-config.ts';
import { checkConfig, type GateConfig } from './config.ts';
import { type ConfigSource, parseConfig } from './config-source.ts';
import { StilewardError } from './core/errors.ts';
import type { Judged } from './fleet/config-follower.ts';

/**
 * What a pushed text comes to on top of a gate's own file: its parts take the place of the file's, whole, and everything
 * else stays. Checked as `gate check-config` does; never throws for a text, whatever it is.
 */
export function judgePushed(own: ConfigSource, { version, text }: ConfigOffer, gate: string): Judged<GateConfig> {
	try {
		const pushed = parseConfig(`version ${version}`, text, []);
		const why = whyNotPushable(pushed.value, gate);
		if (why !== undefined) return { kind: 'invalid', why };
		return { kind: 'valid', config: checkConfig({ ...pushed, value: merged(own.value, pushed.value) }) };
	} catch (error) {
		return { kind: 'invalid', why: reasonOf(error) };
	}
}

function merged(own: unknown, pushed: unknown): unknown {
	const parts = pushed as Readonly<Record<string, unknown>>;
	const given = fleetParts.filter((part) => Object.hasOwn(parts, part)).map((part) => [part, parts[part]]);
	return { ...(own as object), ...Object.fromEntries(given) };
}

/** All problems in one line. What is no error of ours comes from a text that overwhelms the check. */
function reasonOf(error: unknown): string {
	if (!(error instanceof StilewardError)) return `it cannot be checked: ${String(error)}`;
	const [first = '', ...problems] = error.message.split('\n').map((line) => line.trim());
	return problems.length === 0 ? first : problems.join('; ');
}
