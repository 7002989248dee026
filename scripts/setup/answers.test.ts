import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { issue, makeKeys } from '../../gate-agent/acceptance/gate.suite.ts';
import { type Ended, runCli } from '../commands/cli.suite.ts';
import { answersSchema } from './answers.ts';
import { machineWith } from './fake-machine.suite.ts';
import { type BareBox, bareBox, readReport, venueWithTicket } from './setup-bench.suite.ts';

const patience = { timeout: 300_000 };

/** Runs the assistant with answers that were written beforehand. */
async function setUpWith({ dir, args }: BareBox, answers: unknown, more: readonly string[] = []): Promise<Ended> {
	const file = join(dir, 'answers.yaml');
	await writeFile(file, stringify(answers));
	return runCli([...args, '--answers', file, ...more]);
}

const contacts = { passage: { channel: 1 }, fire: { channel: 3, invert: true } };

it('the schema that editors read is the one of the program', async () => {
	const published = await readFile(new URL('../../device-configs/answers.schema.json', import.meta.url), 'utf8');
	expect(JSON.parse(published)).toEqual(JSON.parse(JSON.stringify(answersSchema)));
});

describe('setup with answers', () => {
	it('sets a gate of a venue up without a question, and it admits', patience, async () => {
		const box = await bareBox();
		const { ticket, newLink } = await venueWithTicket(box.dir);
		const answers = {
			name: 'gate-7',
			inputs: { contacts },
			pulse: true,
			enrollment: { link: await newLink('gate-7') },
		};
		const { code, out, err } = await setUpWith(box, answers, ['--json']);
		expect(code, err).toBe(0);
		const report = JSON.parse(out);
		expect(report).toMatchObject({
			gate: 'gate-7',
			venue: 'venue',
			joining: 'enroll',
			healthy: true,
			inputs: { typed: 0, acted: 0 },
		});
		expect(report.tried.pulse).toMatchObject({ channel: 1, ended: 'hardware', confirmed: true });
		expect(box.board.edges).toHaveLength(2);
		expect(await readReport(report.report)).toMatchObject({ gate: 'gate-7', signedOff: null });
		expect(await box.admit(ticket)).toBe(1);
	});

	it('sets a gate without a server up, with the keys of a folder', patience, async () => {
		const box = await bareBox();
		const keys = await makeKeys(join(box.dir, 'keys'));
		const [ticket = ''] = await issue(keys, []);
		const { code, err } = await setUpWith(box, { inputs: { contacts }, keys: { dir: keys, event: 'lantern-2026' } }, [
			'--lang',
			'zh',
		]);
		expect(code, err).toBe(0);
		expect(await readFile(box.configFile, 'utf8')).toMatch(/^# 本文件由[\s\S]*event: lantern-2026[\s\S]*keys: /);
		expect(await box.admit(ticket)).toBe(1);
	});

	it('names everything that is wrong or missing at once, touches nothing and never waits', patience, async () => {
		const box = await bareBox();
		const wrong = await setUpWith(box, { nam: 'x', pulse: 'perhaps', scanSeconds: -1 });
		expect(wrong).toMatchObject({ code: 1, out: '' });
		for (const part of [
			'answers.yaml: 3 problems',
			'nam is not a known key',
			'pulse',
			'scanSeconds',
			'[answers_invalid]',
		]) {
			expect(wrong.err).toContain(part);
		}
		const nothing = await machineWith(box.dir, []);
		const missing = await setUpWith(box, { name: 'gate-7' }, ['--root', nothing]);
		for (const part of ['3 problems', 'scanner is missing', 'relay is missing', 'enrollment is missing'])
			expect(missing.err).toContain(part);
		expect(existsSync(box.configFile) || existsSync(box.data)).toBe(false);
		expect(box.board.edges).toEqual([]);
	});

	it('names a code that was used before, with its fix, and leaves nothing behind', patience, async () => {
		const box = await bareBox();
		const { newLink } = await venueWithTicket(box.dir);
		const link = await newLink('gate-7');
		const other = await runCli(['gate', 'enroll', '--link', link, '--data', join(box.dir, 'other')]);
		expect(other.code).toBe(0);
		const { code, err } = await setUpWith(box, { enrollment: { link } });
		expect(code).toBe(3);
		expect(err).toContain('[enroll_code_used]');
		expect(err).toContain('stileward device code');
		expect(existsSync(box.configFile) || existsSync(box.data)).toBe(false);
	});

	it('does not go on where the server is another one, unless it is told to', patience, async () => {
		const box = await bareBox();
		const { venue } = await venueWithTicket(box.dir);
		const enrollment = { server: venue.url, fingerprint: 'A'.repeat(43), code: 'ABCDE-FGHJK-MNPQR-STVWX' };
		const refused = await setUpWith(box, { enrollment });
		expect(refused.code).toBe(1);
		expect(refused.err).toContain('[server_pin_wrong]');
		expect(refused.err).toContain('the checks found faults: server_pin_wrong');
		expect(existsSync(box.configFile) || existsSync(box.data)).toBe(false);
	});

	it('keeps a configuration that is there until it is told otherwise', patience, async () => {
		const box = await bareBox();
		const keys = await makeKeys(join(box.dir, 'keys'));
		const answers = { keys: { dir: keys, event: 'lantern-2026' } };
		expect((await setUpWith(box, answers)).code).toBe(0);
		const before = await readFile(box.configFile, 'utf8');
		const again = await setUpWith(box, answers);
		expect(again).toMatchObject({ code: 1, err: expect.stringContaining('replaceConfig is missing') });
		expect(await readFile(box.configFile, 'utf8')).toBe(before);
		const replaced = await setUpWith(box, { ...answers, name: 'gate-8', replaceConfig: true });
		expect(replaced.code, replaced.err).toBe(0);
		expect(replaced.err).toContain('.before-');
		expect(await readFile(box.configFile, 'utf8')).toContain('agent: gate-8');
	});
});
