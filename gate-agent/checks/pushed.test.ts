import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../config-source.ts';
import { configStateFile } from '../fleet/config-state.ts';
import { configurationCheck, readPushed } from './configuration.ts';
import { codesOf, configWith, emptyMachine, stoppedGate } from './fake-gate.suite.ts';

const device = 'a'.repeat(43);
const lanes = `lanes: [{ id: lane-9, scanner: { driver: replay, path: codes }, relay: { driver: simulated } }]`;

function offer(version: number, text: string) {
	return { version, sha256: createHash('sha256').update(text).digest('base64url'), text };
}

describe('a configuration that was pushed', () => {
	const own = parseConfig('gate.yaml', 'data: /nowhere', []);
	const folderWith = (state: object) => {
		const { root } = emptyMachine();
		writeFileSync(join(root, configStateFile), JSON.stringify({ device, gate: 'gate-1', ...state }));
		return root;
	};

	it('is what the gate runs by, on top of a file that has only its data folder', async () => {
		const pushed = await readPushed(own, folderWith({ confirmed: offer(3, lanes) }), device);
		expect(pushed).toMatchObject({ version: 3, config: { lanes: [{ lane: { id: 'lane-9' } }] } });
	});

	it('of another device, or none, plays no part', async () => {
		expect(await readPushed(own, folderWith({ confirmed: offer(3, lanes) }), 'b'.repeat(43))).toEqual({});
		expect(await readPushed(own, emptyMachine().root, device)).toEqual({});
	});

	it('that was given up is named with its reason, while it is the newest', async () => {
		const gate = (pushed: Awaited<ReturnType<typeof readPushed>>) => stoppedGate({ config: configWith(), pushed });
		const refused = { version: 4, why: 'lane-1 was not ready' };
		expect(await codesOf(configurationCheck, gate({ version: 3, refused }))).toEqual([
			'configuration_ok',
			'pushed_config_refused',
		]);
		expect(await codesOf(configurationCheck, gate({ version: 5, refused }))).toEqual(['configuration_ok']);
	});
});
