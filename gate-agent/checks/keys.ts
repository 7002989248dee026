import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StilewardError } from '../core/errors.ts';
import type { KeyManifest } from '../core/key-manifest.ts';
import { enrollmentFiles } from '../enrollment.ts';
import { loadTrust } from '../keys/key-folder.ts';
import type { Check, GateUnderCheck } from './check.ts';
import { type Finding, found } from './finding.ts';
import { iso } from './iso-time.ts';
import { modeOf } from './permissions.ts';

/** Whoever plans a rotation wants to know this long before. */
const soonMs = 30 * 86_400_000;

/** Whether the gate has the keys that it needs, and none that it must not have. */
export const keysCheck: Check = {
	name: 'keys',
	run: async (gate, { systemMs }) => {
		const { enrollmentProblem, enrollmentHidden, dataDir = '', enrolled, config, agent } = gate;
		if (enrollmentHidden) return [found('keys_skipped', dataDir, { why: 'enrollment_hidden' })];
		if (enrollmentProblem !== undefined) {
			return [found('keys_invalid', dataDir, { error: 'enrollment', problem: enrollmentProblem })];
		}
		const keys = agent.health?.keys;
		const refused =
			keys?.problem === undefined
				? []
				: [found('keys_not_renewed', config?.keysDir ?? dataDir, { problem: keys.problem })];
		if (enrolled) {
			const findings = [...(await readableFindings(dataDir)), ...refused];
			if (findings.length > 0) return findings;
			return keys
				? [found('keys_ok', dataDir, { version: keys.manifestVersion })]
				: [found('keys_skipped', dataDir, { why: 'venue_gives_keys' })];
		}
		if (config?.keysDir === undefined) return [found('keys_skipped', dataDir, { why: 'no_key_folder' })];
		return [...refused, ...(await folderFindings(config.keysDir, systemMs()))];
	},
};

async function folderFindings(dir: string, nowMs: number): Promise<readonly Finding[]> {
	try {
		const { manifest, warnings, root } = await loadTrust(dir);
		const findings = [
			...expiryFindings(manifest, nowMs),
			...warnings.map((problem) => found('private_key_beside', dir, { problem })),
		];
		return findings.length > 0 ? findings : [found('keys_ok', dir, { version: manifest.version, root })];
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		const { code, message } = error;
		return [
			code === 'keys_missing'
				? found('keys_missing', dir, { problem: message })
				: found('keys_invalid', dir, { error: code, problem: message }),
		];
	}
}

function expiryFindings({ keys, revoked }: KeyManifest, nowMs: number): readonly Finding[] {
	return keys.flatMap(({ kid, exp }) => {
		if (exp === undefined || revoked.includes(kid) || exp * 1000 > nowMs + soonMs) return [];
		const evidence = { kid, until: iso(exp * 1000) };
		return [found(exp * 1000 <= nowMs ? 'keys_expired' : 'keys_expire_soon', kid, evidence)];
	});
}

/** The device key proves who the gate is; nobody but its user may read it. */
async function readableFindings(dir: GateUnderCheck['dataDir'] & string): Promise<readonly Finding[]> {
	const path = join(dir, enrollmentFiles.key);
	const stats = await stat(path).catch(() => undefined);
	if (stats === undefined || (stats.mode & 0o077) === 0) return [];
	return [found('key_readable', path, { mode: modeOf(stats) })];
}
