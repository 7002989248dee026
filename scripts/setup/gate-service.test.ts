import { describe, expect, it } from 'vitest';
import type { Ran, Surroundings } from '../../gate-agent/checks/surroundings.ts';
import { startService } from './gate-service.ts';
import { createUndo } from './undo.ts';

/** A systemd that answers what a test wants, and notes what it was told. */
function systemd(answers: Readonly<Record<string, Partial<Ran>>>) {
	const told: string[] = [];
	const run: Surroundings['run'] = async (_, args) => {
		told.push(args.join(' '));
		const [verb = ''] = args;
		const asked = args.find((each) => each.startsWith('--property='))?.slice('--property='.length);
		return { code: 0, out: '', ...answers[asked ?? verb] };
	};
	return { run, told };
}

const installed = { LoadState: { out: 'loaded\n' }, UnitFileState: { out: 'disabled\n' } };

describe('the service of a gate', () => {
	it('is enabled and told to start, and nobody waits for a slow machine', async () => {
		const { run, told } = systemd(installed);
		expect(await startService({ run }, createUndo(), true)).toEqual({ kind: 'started' });
		expect(told.slice(-2)).toEqual(['enable stileward-gate.service', 'restart --no-block stileward-gate.service']);
	});

	it('is none where the package is not installed, or systemd does not run', async () => {
		const { run, told } = systemd({ LoadState: { out: 'not-found\n' } });
		const why = expect.stringContaining('install the Debian package');
		expect(await startService({ run }, createUndo(), true)).toEqual({ kind: 'none', why });
		const before = told.length;
		expect(await startService({ run }, createUndo(), false)).toMatchObject({ kind: 'none' });
		expect(told).toHaveLength(before);
	});

	it('is refused where systemd says no, with where to look', async () => {
		const { run } = systemd({ ...installed, restart: { code: 1 } });
		const why = expect.stringContaining('journalctl -u stileward-gate');
		expect(await startService({ run }, createUndo(), true)).toEqual({ kind: 'refused', why });
	});

	it('is as it was after an undo', async () => {
		const { run, told } = systemd(installed);
		const undo = createUndo();
		await startService({ run }, undo, true);
		await undo.all();
		expect(told.slice(-2)).toEqual(['stop --no-block stileward-gate.service', 'disable stileward-gate.service']);
	});
});
