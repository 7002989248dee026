import { fstatSync } from 'node:fs';
import { expect, it } from 'vitest';
import { asJournalErrors, isJournalStream, withPriority } from './journal.ts';

it.each([
	[60, 2],
	[50, 3],
	[40, 4],
	[30, 6],
	[20, 7],
])('gives a line of level %i the priority %i', (level, priority) => {
	const line = `{"level":${level},"event":"x"}\n`;
	expect(withPriority(line)).toBe(`<${priority}>${line}`);
});

it('marks each line of an error, and no empty one', () => {
	expect(asJournalErrors('error: two lines\n\n  hint: look\n')).toBe('<3>error: two lines\n\n<3>  hint: look\n');
});

it('knows the stream that the journal reads, and no other', () => {
	const { dev, ino } = fstatSync(2);
	expect(isJournalStream(`${dev}:${ino}`, 2)).toBe(true);
	expect(isJournalStream(`${dev}:${ino + 1}`, 2)).toBe(false);
	expect(isJournalStream(undefined, 2)).toBe(false);
});
