import { expect, test } from 'vitest';
import { joined, reportText, testResults, undoneFiles } from './report.ts';

const assertion = { fullName: 'a board, pulled', status: 'passed', duration: 1_500 };
/** As the guest names it. */
const name = ['', 'lab', 'project', 'gate-agent', 'relays', 'gpio.lab.test.ts'].join('/');
const file = { name, message: '', assertionResults: [assertion] };

test('lists what each test measured, by the file that it lies in', () => {
	const figures = { sent: '1 ticket', seen: '1 pulse' };
	const measured = { ...file, assertionResults: [{ ...assertion, meta: { figures } }] };
	const tests = { code: 0, ...testResults(JSON.stringify({ testResults: [measured] })) };
	expect(reportText({ kernel: '6.1.0', seconds: 12.4, tests }).split('\n')).toEqual([
		...['# Hardware lab: kernel 6.1.0, 12 s', '', '## gate-agent/relays/gpio', ''],
		...['- ✓ a board, pulled (1.5 s)', '  - sent: 1 ticket', '  - seen: 1 pulse', ''],
		...['1 passed, 0 failed', '', ''],
	]);
});

test('counts a file that could not be loaded as a failure, and says why', () => {
	const broken = { ...file, message: 'Cannot find module', assertionResults: [] };
	const results = testResults(JSON.stringify({ testResults: [file, broken] }));
	expect([results.passed, results.failed]).toEqual([1, 1]);
	const text = reportText({ kernel: '6.1.0', seconds: 1, tests: { code: 1, ...results } });
	expect(text).toContain('- ✗ the file is loaded (0.0 s)\n  - Cannot find module\n');
});

test('names the first line of a failure', () => {
	const failed = { ...assertion, status: 'failed', failureMessages: ['no pulse\n  at gpio.ts:1'] };
	const tests = { code: 1, ...testResults(JSON.stringify({ testResults: [{ ...file, assertionResults: [failed] }] })) };
	const text = reportText({ kernel: '6.1.0', seconds: 1, tests });
	expect(text).toContain('- ✗ a board, pulled (1.5 s)\n  - no pulse\n');
	expect(text).toContain('0 passed, 1 failed; the guest ended with 1');
});

test('says which test passed on its second try only, and why the first one failed', () => {
	const flaky = { ...assertion, failureMessages: ['ended by SIGSEGV\n  at gate.ts:1'] };
	const tests = { code: 0, ...testResults(JSON.stringify({ testResults: [{ ...file, assertionResults: [flaky] }] })) };
	const text = reportText({ kernel: '6.1.0', seconds: 1, tests });
	expect(text).toContain('- ✓ a board, pulled (1.5 s, on the second try)\n  - ended by SIGSEGV\n');
	expect(text).toContain('1 passed, 0 failed');
});

test('has no result of a guest that broke down', () => {
	expect(testResults(undefined)).toEqual({ passed: 0, failed: 0, tests: [] });
});

test('tells what a power cut left of what was acknowledged', () => {
	const cut = { name: 'ledger', seed: 7, acknowledged: 90, kept: 90, lost: 0, unflushed: 12, held: true };
	const cuts = [cut, { ...cut, name: 'control', kept: 30, lost: 60 }, { ...cut, kept: 89, lost: 1, held: false }];
	expect(reportText({ kernel: '6.1.0', seconds: 1, cuts }).split('\n').slice(4, 7)).toEqual([
		'- ✓ ledger, seed 7: all 90 acknowledged are there (90 kept, 12 writes were not flushed)',
		'- ✓ control, seed 7: 60 of 90 are lost (30 kept, 12 writes were not flushed)',
		'- ✗ ledger, seed 7: 1 of 90 are lost (89 kept, 12 writes were not flushed)',
	]);
});

test('joins what a guest found before it broke down with what the next one found of the rest', () => {
	const results = (code: number, byFile: Readonly<Record<string, readonly string[]>>) => {
		const testResultsOf = Object.entries(byFile).map(([each, statuses]) => ({
			...{ name: each, message: '' },
			assertionResults: statuses.map((status, at) => ({ fullName: `test ${at}`, status })),
		}));
		return { code, ...testResults(JSON.stringify({ testResults: testResultsOf })) };
	};
	const first = results(1, { 'a.lab.test.ts': ['passed', 'passed'], 'b.lab.test.ts': ['passed', 'pending'] });
	const files = ['a.lab.test.ts', 'b.lab.test.ts', 'never-begun.lab.test.ts'];
	expect(undoneFiles(files, first)).toEqual(['b.lab.test.ts', 'never-begun.lab.test.ts']);
	const whole = joined(first, results(0, { 'b.lab.test.ts': ['passed', 'failed'] }));
	expect(whole).toMatchObject({ code: 0, passed: 3, failed: 1 });
	expect(whole.tests.map(({ file: of, status }) => `${of} ${status}`)).toEqual([
		...['a.lab.test.ts passed', 'a.lab.test.ts passed'],
		...['b.lab.test.ts passed', 'b.lab.test.ts failed'],
	]);
});
