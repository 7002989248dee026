import { describe, expect, it } from 'vitest';
import { runCli } from './cli.suite.ts';

const commands = [
	'keys init',
	'keys rotate',
	'keys show',
	'ticket issue',
	'ticket inspect',
	'gate run',
	'gate check-config',
	'gate set-pin',
	'config push',
	'config show',
	'config history',
	'config rollback',
	'config status',
	'ledger list',
	'ledger verify',
	'ledger backup',
];

describe('the command line', () => {
	it.each(commands)('explains `%s` with examples', async (command) => {
		const { code, out, err } = await runCli([...command.split(' '), '--help']);
		expect({ code, err }).toEqual({ code: 0, err: '' });
		expect(out).toContain(`Usage: stileward ${command}`);
		expect(out).toContain(`Examples:\n  $ stileward ${command}`);
	});

	it('names every group and the exit codes in its help', async () => {
		const { code, out } = await runCli(['--help']);
		expect(code).toBe(0);
		for (const word of ['keys', 'ticket', 'gate', 'ledger', 'Exit codes']) expect(out).toContain(word);
		expect(out).not.toContain('\x1b');
	});

	it('tells its version', async () => {
		const { code, out } = await runCli(['--version']);
		expect({ code, version: /^\d+\.\d+\.\d+\n$/.test(out) }).toEqual({ code: 0, version: true });
	});

	it('shows help from its own files alone, so that it appears at once', async () => {
		const { err } = await runCli(['--help'], '', { NODE_DEBUG: 'esm' });
		const loaded = new Set(
			[...err.matchAll(/file:\/\/\S*?(node_modules\/(?:@[^/\s]+\/)?[^/\s]+)/g)].map(([, name]) => name),
		);
		expect([...loaded]).toEqual(['node_modules/commander']);
	});

	it.each([
		[[]],
		[['frobnicate']],
		[['ticket']],
		[['ticket', 'isue']],
		[['keys', 'init']],
		[['keys', 'show', '--dir', 'x', '--frobnicate']],
		[['gate', 'run', '--config', 'x', '--set', 'lanes.0.scanner.path']],
		[['ledger', 'list', '--data', 'x', '--limit', '-1']],
	])('ends with 2 for the wrong usage %j', async (args) => {
		const { code, out, err } = await runCli(args);
		expect({ code, out }).toEqual({ code: 2, out: '' });
		expect(err).toMatch(/^(error: |Usage: )/);
		expect(err).not.toMatch(/\n\s+at /);
	});
});
