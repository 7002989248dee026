import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isLaneCommand } from './lane-command.ts';

test('orders of the core are taken from afar, but never the reset of an emergency', () => {
	const by = 'mina';
	for (const command of [
		{ kind: 'set_mode', mode: 'free', by },
		{ kind: 'staff_entry', cls: 'infant', count: 2, by, reason: 'no ticket needed' },
		...['confirm', 'reject', 'stop_group', 'emergency_open'].map((kind) => ({ kind, by })),
	]) {
		expect(isLaneCommand(command), command.kind).toBe(true);
		expect(isLaneCommand({ ...command, extra: 1 })).toBe(false);
		expect(isLaneCommand({ ...command, by: '' })).toBe(false);
	}
	expect(isLaneCommand({ kind: 'emergency_reset', by })).toBe(false);
	expect(isLaneCommand({ kind: 'staff_entry', cls: 'infant', count: 101, by, reason: 'many' })).toBe(false);
	fc.assert(fc.property(fc.anything(), (value) => isLaneCommand(value) === false));
});
