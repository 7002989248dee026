import { describe, expect, test } from 'vitest';
import { createHoldOff, holdOffMs } from './hold-off.ts';

/** Which of the texts, seen at these times, are new. */
function newOnes(seen: readonly (readonly [string, number])[]): readonly string[] {
	const holdOff = createHoldOff();
	return seen.filter(([text, atMs]) => holdOff.isNew(text, atMs)).map(([text, atMs]) => `${text}@${atMs}`);
}

describe('hold-off', () => {
	test('delivers a code that stays in view once, however long it stays', () => {
		const minute = Array.from({ length: 1800 }, (_, index) => ['A', index * 33] as const);
		expect(newOnes(minute)).toEqual(['A@0']);
	});

	test('delivers a code again once it was out of sight for the hold-off', () => {
		const back = holdOffMs + 100;
		expect(
			newOnes([
				['A', 0],
				['A', 100],
				['A', back - 1],
			]),
		).toEqual(['A@0']);
		expect(
			newOnes([
				['A', 0],
				['A', 100],
				['A', back],
			]),
		).toEqual(['A@0', `A@${back}`]);
	});

	test('delivers another code at once, and each of two side by side once', () => {
		expect(
			newOnes([
				['A', 0],
				['B', 33],
				['A', 66],
				['B', 99],
			]),
		).toEqual(['A@0', 'B@33']);
	});

	test('takes texts that differ in a space for two', () => {
		expect(
			newOnes([
				['A  B', 0],
				['A B', 33],
			]),
		).toEqual(['A  B@0', 'A B@33']);
	});

	test('forgets the code unseen for longest when a picture holds more than it can keep', () => {
		const crowd = Array.from({ length: 33 }, (_, index) => [`${index}`, index] as const);
		expect(newOnes([...crowd, ['32', 40], ['0', 41]]).slice(-2)).toEqual(['32@32', '0@41']);
	});
});
