import type { Command } from 'commander';
import { examples, integer } from './arguments.ts';
import type { AuditOptions } from './audit-list.ts';
import type { CaseCloseOptions, CaseOptions } from './case-list.ts';
import { type SessionOptions, withSession } from './office-options.ts';
import type { Terminal } from './output.ts';

/** `case …` and `audit …`. */
export function addCaseCommands(program: Command, terminal: Terminal): void {
	const cases = program.command('case').description('Look at double entries and other cases.');
	withSession(cases.command('list'))
		.description('List what a person must look at.')
		.addHelpText('after', examples('case list', 'case list --json'))
		.action(async (options: SessionOptions) => (await import('./case-list.ts')).listCases(options, terminal));
	withSession(cases.command('show'))
		.description('Show a case: who entered where and when, by whose word, and the likely cause.')
		.requiredOption('--id <case>', 'id of the case, as `case list` shows it')
		.addHelpText('after', examples('case show --id double_entry.lantern-2026.7.ticket'))
		.action(async (options: CaseOptions) => (await import('./case-list.ts')).showCase(options, terminal));
	withSession(cases.command('close'))
		.summary('say what was found out about a case')
		.description('Say what was found out about a case. It opens again where it grows.')
		.requiredOption('--id <case>', 'id of the case')
		.requiredOption('--text <text>', 'what was found out; no names of visitors')
		.addHelpText(
			'after',
			examples('case close --id double_entry.lantern-2026.7.ticket --text "twins with one printout"'),
		)
		.action(async (options: CaseCloseOptions) => (await import('./case-list.ts')).closeCase(options, terminal));
	const audit = program.command('audit').description('See what operators did.');
	withSession(audit.command('list'))
		.description('List what operators did, the newest first.')
		.option('--limit <n>', 'at most this many rows', integer(1, 1_000), 100)
		.addHelpText('after', examples('audit list', 'audit list --limit 1000 --json'))
		.action(async (options: AuditOptions) => (await import('./audit-list.ts')).listAudit(options, terminal));
}
