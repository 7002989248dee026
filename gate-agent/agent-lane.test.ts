import { describe, expect, it } from 'vitest';
import { inputsOpened } from './agent-lane.ts';

describe('an input board that is opened', () => {
	it('tells what lasts, fire first', () => {
		expect(inputsOpened({ tamper: true, fire: false })).toEqual([
			{ kind: 'fire', state: 'clear' },
			{ kind: 'tamper', active: true },
		]);
	});

	it('takes neither a closed passage contact for a visitor nor a held button for a press', () => {
		expect(inputsOpened({ passage: true, reverse: true, staff_button: true, emergency_reset: true })).toEqual([]);
	});
});
