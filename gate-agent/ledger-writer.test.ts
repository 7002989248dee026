import { describe, expect, it } from 'vitest';
import { StilewardError } from './core/errors.ts';
import { createLedgerWriter } from './ledger-writer.ts';

describe('the writer of settlements and facts', () => {
	it('writes in order and tries again until the disk has space', async () => {
		const written: string[] = [];
		const failing: string[] = [];
		let full = 2;
		const writer = createLedgerWriter({ onFailing: (what) => failing.push(what), onDropped: () => undefined });
		writer.write('first', async () => {
			if (full-- > 0) throw new StilewardError('ledger_full', 'no space');
			written.push('first');
		});
		writer.write('second', async () => void written.push('second'));
		await writer.drain(5_000);
		expect(written).toEqual(['first', 'second']);
		expect(failing).toEqual(['first']);
		expect(writer.pending).toBe(0);
	});

	it('has a limit, and says what it drops', () => {
		const dropped: string[] = [];
		const writer = createLedgerWriter({ onFailing: () => undefined, onDropped: (what) => dropped.push(what) });
		for (let i = 0; i < 1_001; i += 1) writer.write(`${i}`, () => new Promise(() => undefined));
		expect(dropped).toEqual(['1000']);
	});

	it('drops no settlement and no mode of a lane, however long the disk is full', () => {
		const dropped: string[] = [];
		const writer = createLedgerWriter({ onFailing: () => undefined, onDropped: (what) => dropped.push(what) });
		for (let i = 0; i < 1_001; i += 1) writer.write('alarm', () => new Promise(() => undefined));
		writer.write('settlement', async () => undefined);
		writer.write('lane', async () => undefined);
		expect(dropped).toEqual(['alarm']);
		expect(writer.pending).toBe(1_002);
	});
});
