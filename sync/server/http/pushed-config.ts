import { parseDocument } from 'yaml';
import { gateConfigBytesMax, nestsTooDeep, whyNotPushable } from '../../protocol/gate-config.ts';
import { Refusal } from './refusal.ts';

/** Anchors that are repeated: more of them make a small text a large one. */
const aliasesMax = 100;

/**
 * Refuses what no gate could take: a text that is too large, no YAML, or has parts that are the box's own. The whole check
 * needs the drivers, which only the gate has; it checks again before it tries. Throws a `Refusal`: `too_large`,
 * `malformed`.
 */
export function assertPushable(gate: string, text: string): void {
	if (Buffer.byteLength(text) > gateConfigBytesMax) {
		throw new Refusal('too_large', { detail: `a configuration has at most ${gateConfigBytesMax} bytes` });
	}
	if (nestsTooDeep(text)) throw new Refusal('malformed', { detail: 'it is nested too deep for a configuration' });
	const why = whyNotPushable(parsed(text), gate);
	if (why !== undefined) throw new Refusal('malformed', { detail: why });
}

function parsed(text: string): unknown {
	try {
		const document = parseDocument(text, { uniqueKeys: true });
		const [first] = document.errors;
		if (first !== undefined) throw first;
		return document.toJS({ maxAliasCount: aliasesMax }) as unknown;
	} catch (cause) {
		// The parser throws errors of several kinds, one of them for a text that is nested too deep for its stack.
		const [line = ''] = cause instanceof Error ? cause.message.split('\n') : [];
		throw new Refusal('malformed', { detail: `it is not YAML: ${line.slice(0, 200)}` });
	}
}
