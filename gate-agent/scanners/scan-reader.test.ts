import { describe, expect, it } from 'vitest';
import type { Signal } from '../core/device.ts';
import type { Scan } from '../core/scan.ts';
import type { Frame } from './framing.ts';
import { type ScanLanguage, scanReader } from './scan-reader.ts';
import { verdictOf } from './scan-verdict.ts';

/** A scanner that sends words: a full stop ends a code, a silence gives up what is half, `?` is a question and no code. */
const words: ScanLanguage<string, string, string> = {
	start: '',
	feed: (pending, sent) => {
		const items = `${pending}${sent}`.split(/(?<=[.?])/);
		const rest = /[.?]$/.test(items.at(-1) ?? '.') ? '' : (items.pop() ?? '');
		return [rest, items];
	},
	expire: (pending) => ['', [`${pending}!`]],
	awaitsMore: (pending) => pending !== '',
	frameOf: (item): Frame | undefined => {
		if (item.endsWith('?')) return undefined;
		if (item.endsWith('!')) return { kind: 'torn', length: item.length - 1 };
		return { kind: 'frame', bytes: Buffer.from(item.slice(0, -1)) };
	},
	silenceMs: 20,
	aim: 'strip',
};

function opened(onScan?: (scan: Scan) => void) {
	const scans: Scan[] = [];
	const reader = scanReader(words, {
		nowMs: () => performance.now(),
		log: () => {},
		onScan: (scan) => {
			scans.push(scan);
			onScan?.(scan);
		},
	});
	return { reader, scans };
}

describe('a reader of scans', () => {
	it('puts together what comes in pieces, and skips what is no code', () => {
		const { reader, scans } = opened();
		for (const sent of ['A', 'B.', 'who?]Q1C.D', 'E.']) reader.push(sent);
		expect(scans).toMatchObject([{ text: 'AB' }, { text: 'C', aim: ']Q1' }, { text: 'DE' }]);
		reader.stop();
	});

	it('gives up what is half when the scanner falls silent', async () => {
		const { reader, scans } = opened();
		reader.push('A.HALF');
		await expect.poll(() => scans).toMatchObject([{ text: 'A' }, { kind: 'unreadable', bytes: 4 }]);
		reader.push('B.');
		expect(scans.at(-1)).toMatchObject({ text: 'B' });
		reader.stop();
	});

	it('delivers nothing more to a receiver that stopped it', () => {
		const { reader, scans } = opened(() => reader.stop());
		reader.push('A.B.HALF');
		reader.push('C.');
		reader.expire();
		expect(scans).toMatchObject([{ text: 'A' }]);
	});

	it('has one verdict for each scan, none for what was no code', () => {
		const { reader } = opened();
		reader.push('who?');
		expect(reader.takeVerdict('granted')).toBeUndefined();
		reader.push('A.');
		expect([reader.takeVerdict('wait'), reader.takeVerdict('cue'), reader.takeVerdict('refused')]).toEqual([
			undefined,
			'good',
			undefined,
		]);
	});
});

it.each([
	['granted', 'good'],
	['cue', 'good'],
	['refused', 'bad'],
	['idle', undefined],
	['wait', undefined],
	['out_of_service', undefined],
	['emergency', undefined],
] satisfies [Signal, string | undefined][])('the verdict of %s is %s', (signal, verdict) => {
	expect(verdictOf(signal)).toBe(verdict);
});
