import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { converse } from './conversation.suite.ts';
import { bareBox, readReport, venueWithTicket } from './setup-bench.suite.ts';
import { fillIn, setupWords } from './setup-words.ts';

const patience = { timeout: 300_000 };

describe('the assistant sets a bare box up with whoever stands at the gate', () => {
	it.each(['zh', 'en'] as const)(
		'in %s: found, tried, enrolled by its own scanner, written, and it admits',
		patience,
		async (language) => {
			const words = setupWords[language];
			const box = await bareBox();
			const { ticket, newLink } = await venueWithTicket(box.dir);
			const talk = await converse([...box.args, '--lang', language]);
			await talk.hear(words.name.slice(0, 6));
			await talk.type('gate-7');
			await talk.hear(words.scannerSetUp.slice(0, 8));
			await talk.hear(words.scan.slice(0, 8));
			await box.scanner.present(await newLink('gate-7'));
			await talk.hear(words.pulse.slice(0, 8));
			await talk.type('');
			await talk.hear(words.opened);
			await talk.type(language === 'zh' ? '是' : 'y');
			await talk.hear(words.passage.slice(0, 8));
			await box.work(1);
			await talk.hear(words.fire.slice(0, 8));
			// By mistake somebody walks through once more.
			await box.work(1);
			await talk.hear(words.sameContact);
			await talk.hear(words.fire.slice(0, 8));
			await box.work(3);
			await talk.hear(words.writeOnly.slice(0, 2));
			await talk.type('');
			await talk.hear(fillIn(words.written, { file: box.configFile }));
			await talk.hear(/commissioning\S+\.txt/);
			expect(await talk.ended(), talk.heard()).toBe(0);
			expect(box.board.edges.map(({ channel, closed }) => [channel, closed])).toEqual([
				[1, true],
				[1, false],
			]);

			const text = await readFile(box.configFile, 'utf8');
			expect(text).toContain('passage');
			expect(text).toMatch(/fire:\s+channel: 3\s+invert: true/);
			expect(text).toMatch(/# .*[^\n]/);
			const report = await readReport(reportOf(talk.heard()));
			// A name, Enter and yes for the relay, the last word; one scan, two contacts and the mistake.
			expect(report).toMatchObject({
				gate: 'gate-7',
				joining: 'enroll',
				healthy: true,
				inputs: { typed: 4, acted: 4 },
			});
			expect(box.scanner.flashZone(0x03) & 0b11).toBe(0b10);
			expect(await box.admit(ticket)).toBe(1);
		},
	);
});

function reportOf(heard: string): string {
	return /(\/\S+commissioning\/\S+\.txt)/.exec(heard)?.[1] ?? 'no report';
}

describe('whoever ends the assistant', () => {
	it.each(['name', 'scan', 'opened', 'passage'] as const)(
		'at "%s" finds everything as it was',
		patience,
		async (at) => {
			const box = await bareBox();
			const words = setupWords.en;
			const talk = await converse([...box.args, '--lang', 'en']);
			const steps = [
				['name', words.name, 'gate-7'],
				['scan', words.scan, ''],
				['pulse', words.pulse, ''],
				['opened', words.opened, 'y'],
				['passage', words.passage, ''],
			] as const;
			for (const [step, question, answer] of steps) {
				await talk.hear(question.slice(0, 12));
				if (step === at) break;
				await talk.type(answer);
			}
			await talk.interrupt();
			expect(await talk.ended(), talk.heard()).toBe(1);
			expect(talk.heard()).toContain('[setup_ended]');
			expect(talk.heard()).toContain(words.ended);
			expect(existsSync(box.configFile) || existsSync(box.data)).toBe(false);
		},
	);

	it(
		'at the last word keeps the configuration that was there; saying yes keeps the old one beside the new one',
		patience,
		async () => {
			const box = await bareBox();
			const { newLink } = await venueWithTicket(box.dir);
			await mkdir(dirname(box.configFile), { recursive: true });
			await writeFile(box.configFile, 'agent: old\n');
			for (const last of ['n', 'y']) {
				const words = setupWords.en;
				const talk = await converse([...box.args, '--lang', 'en']);
				await talk.hear(words.name.slice(0, 12));
				await talk.type('gate-7');
				await talk.hear(words.scan.slice(0, 12));
				await talk.type('');
				await talk.hear(words.pulse.slice(0, 12));
				await talk.type('s');
				await talk.hear(words.passage.slice(0, 12));
				await talk.type('');
				await talk.hear(words.fire.slice(0, 12));
				await talk.type('');
				await talk.hear(words.enroll.slice(0, 12));
				await talk.type(await newLink(`gate-${last}`));
				await talk.hear('it is kept as');
				await talk.type(last);
				expect(await talk.ended(), talk.heard()).toBe(last === 'n' ? 1 : 0);
				const files = await readdir(dirname(box.configFile));
				expect(files.length).toBe(last === 'n' ? 1 : 2);
				const old = files.find((file) => file.includes('before-')) ?? 'gate.yaml';
				expect(await readFile(join(dirname(box.configFile), old), 'utf8')).toBe('agent: old\n');
			}
		},
	);
});
