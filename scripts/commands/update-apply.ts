import { basename, dirname, join } from 'node:path';
import type { JWK } from 'jose';
import { readKeyJson } from '../../gate-agent/keys/key-files.ts';
import { buildOf } from '../../gate-agent/main.ts';
import type { UpdateOutcome } from '../../gate-agent/update/apply-update.ts';
import { createMachine } from '../../gate-agent/update/machine.ts';
import { runUpdater } from '../../gate-agent/update/updater.ts';
import { exitCodes } from './exit.ts';
import { jsonLine, type Terminal } from './output.ts';

/** The options of `update apply`. */
export interface UpdateApplyOptions {
	readonly data: string;
	readonly state: string;
	readonly rootKey: string;
	readonly url: string;
	readonly json?: true;
}

/** No question of a package stops an update at night. */
const dpkg = ['env', 'DEBIAN_FRONTEND=noninteractive', 'dpkg'] as const;

/** Does what the gate asks for, or ends what a power cut interrupted. Throws what `runUpdater` throws. */
export async function applyWanted(options: UpdateApplyOptions, terminal: Terminal): Promise<void> {
	const { data, state, rootKey, url, json } = options;
	const outcome = await runUpdater({
		requests: join(data, 'updates'),
		state,
		// What it holds is checked with each release.
		rootKey: (await readKeyJson(dirname(rootKey), basename(rootKey))) as JWK,
		installed: buildOf().version,
		arch: process.arch === 'arm64' ? 'arm64' : 'amd64',
		machine: createMachine({ dpkg: [...dpkg], healthUrl: new URL('/healthz', url).href }),
	});
	if (outcome !== undefined && outcome.kind !== 'installed') terminal.finish(exitCodes.found);
	await terminal.out.write(json ? jsonLine(outcome ?? { kind: 'nothing' }) : `${textOf(outcome)}\n`);
}

function textOf(outcome: UpdateOutcome | undefined): string {
	switch (outcome?.kind) {
		case undefined:
			return 'the gate asks for nothing';
		case 'installed':
			return `version ${outcome.version} is installed, and every lane works`;
		case 'rolled_back':
			return `version ${outcome.version} was taken back: ${outcome.why}`;
		case 'stuck':
			return `somebody must come. Version ${outcome.version}: ${outcome.why}`;
	}
}
