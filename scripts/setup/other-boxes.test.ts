import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeKeys, startGate, temporaryFolder } from '../../gate-agent/acceptance/gate.suite.ts';
import { plugIn } from '../../gate-agent/acceptance/lcus-bench.suite.ts';
import { emulateLcus } from '../../gate-agent/emulators/lcus-emulator.ts';
import { runCli } from '../commands/cli.suite.ts';
import { freePort, lineOf } from '../doctor/gate-bench.suite.ts';
import { converse } from './conversation.suite.ts';
import { machineWith } from './fake-machine.suite.ts';
import { bareBox } from './setup-bench.suite.ts';
import { setupWords } from './setup-words.ts';

const patience = { timeout: 300_000 };
const words = setupWords.en;

it(
	'a scanner that cannot be asked is read at the speed at which its code makes sense, beside a board that cannot answer',
	patience,
	async () => {
		const dir = temporaryFolder();
		const [scanner, line, keys] = await Promise.all([plugIn(), plugIn(), makeKeys(join(dir, 'keys'))]);
		const board = emulateLcus(line);
		const ch340 = { idVendor: '1a86', idProduct: '7523', product: 'USB Serial' };
		const root = await machineWith(dir, [
			{ node: 'ttyUSB0', path: line.path, ...ch340 },
			{
				node: 'ttyACM0',
				path: scanner.path,
				idVendor: 'ffff',
				idProduct: '0001',
				product: 'Some Scanner',
				serial: 'X1',
			},
		]);
		const config = join(dir, 'gate.yaml');
		const port = await freePort();
		const args = [
			'setup',
			'--root',
			root,
			'--config',
			config,
			'--data',
			join(dir, 'data'),
			'--no-service',
			'--lang',
			'en',
		];
		const talk = await converse([...args, '--set', `http.port=${port}`]);
		await talk.hear(words.name.slice(0, 12));
		await talk.type('gate-9');
		await talk.hear('LCUS-1');
		// Two serial ports could have the scanner at their other end: the board's is none of them any more.
		await talk.hear(words.scan.slice(0, 12));
		expect(scanner.baudRate()).toBe(9600);
		// What a code of 115200 baud looks like at 9600: bytes without an end.
		await scanner.write(Uint8Array.from({ length: 40 }, (_, index) => 0x80 | index));
		await talk.hear(words.unreadable.slice(0, 12));
		await talk.hear(words.scan.slice(0, 12));
		expect(scanner.baudRate()).toBe(115_200);
		await scanner.write('SW1:A TICKET OF ANOTHER DAY\r');
		await talk.hear('compact ticket, 27 characters');
		await talk.hear(words.pulse.slice(0, 12));
		await talk.type('');
		await talk.hear(words.noReadBack);
		await talk.type('y');
		await talk.hear(words.enroll.slice(0, 12));
		await talk.type('nonsense');
		await talk.hear(words.notEnrollment);
		await talk.type(keys);
		await talk.hear(words.event);
		await talk.type('lantern-2026');
		await talk.hear(/Write .*\? \[Y\/n\]/);
		await talk.type('');
		expect(await talk.ended(), talk.heard()).toBe(0);
		expect(board.edges.map(({ closed }) => closed)).toEqual([true, false]);
		expect(talk.heard()).not.toContain('A TICKET OF ANOTHER DAY');
		const text = await readFile(config, 'utf8');
		for (const part of ['model: lcus-1', 'model: serial-generic', 'baudRate: 115200', 'agent: gate-9'])
			expect(text).toContain(part);
	},
);

it('a gate that runs is left alone', patience, async () => {
	const box = await bareBox();
	const keys = await makeKeys(join(box.dir, 'keys'));
	const answers = join(box.dir, 'answers.yaml');
	await writeFile(answers, `keys: { dir: ${keys}, event: lantern-2026 }\nreplaceConfig: true\n`);
	const first = await runCli([...box.args, '--answers', answers]);
	expect(first.code, first.err).toBe(0);
	const gate = startGate([], { config: box.configFile });
	await lineOf(gate, 'ready');
	const second = await runCli([...box.args, '--answers', answers]);
	expect(second).toMatchObject({ code: 1, err: expect.stringContaining('[ledger_busy]') });
	expect(second.err).toContain('systemctl stop');
	expect(await gate.health()).toMatchObject({ ok: true });
});
