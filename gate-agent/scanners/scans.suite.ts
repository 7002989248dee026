import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Scanner, ScannerEvents } from '../core/device.ts';
import type { Scan } from '../core/scan.ts';

/** A scanner driver with its device at the far end. */
export interface ScannerBench {
	/** Opens the driver as the agent would; each call is one more opener. */
	open(events: ScannerEvents): Promise<Scanner>;
	/** The device reads a code once; resolves when its last byte has left. */
	present(code: string): Promise<void>;
	/** Sends a part of a code and stops in the middle. */
	tear(code: string): Promise<void>;
	unplug(): Promise<void>;
	replug(): Promise<void>;
	close(): Promise<void>;
}

/** What a transport cannot do. */
export interface ScannerTraits {
	/** Codes of letters that a keyboard has, and no others. */
	readonly asciiOnly?: true;
	readonly tellsAim: boolean;
	/** Only silence ends a code: then one that follows at once joins it, and none is seen to be torn. */
	readonly endsBySilence?: boolean;
	/** The longest code that the test sends, in characters. */
	readonly longest: number;
}

/** How long a test waits; a virtual machine is slow. */
const patience = { timeout: 20_000 };

/** A scanner on its bench, and what it has delivered so far. */
interface Trial {
	readonly bench: ScannerBench;
	readonly scans: readonly Scan[];
	open(): Promise<Scanner>;
	texts(): readonly string[];
	/** Presents a code and waits for one scan more. */
	presentOne(code: string): Promise<void>;
}

/** Makes a trial for each test of the block that calls it, and closes what it opened. */
function trials(makeBench: () => Promise<ScannerBench>): () => Trial {
	let trial: Trial;
	let opened: Scanner[];
	beforeEach(async () => {
		const bench = await makeBench();
		const scans: Scan[] = [];
		opened = [];
		trial = {
			...{ bench, scans },
			open: async () => {
				const scanner = await bench.open({ onScan: (scan) => void scans.push(scan) });
				opened.push(scanner);
				return scanner;
			},
			texts: () => scans.flatMap((scan) => (scan.kind === 'code' ? [scan.text] : [])),
			presentOne: async (code) => {
				const before = scans.length;
				await bench.present(code);
				await expect.poll(() => scans.length, patience).toBe(before + 1);
			},
		};
	});
	afterEach(async () => {
		await Promise.all(opened.map((scanner) => scanner.close()));
		await trial.bench.close();
	});
	return () => trial;
}

/** That codes arrive exactly as they were read. */
export function describeCodes(name: string, makeBench: () => Promise<ScannerBench>, traits: ScannerTraits): void {
	describe(`codes of a scanner (${name})`, () => {
		const trial = trials(makeBench);
		const codes: readonly (readonly [what: string, code: string])[] = [
			['a short code', 'SW1:A'],
			['double, leading and trailing spaces', '  SW1:A  B   C  '],
			['a compact ticket of 178 characters', `SW1:${'AB  9$%*+-./:'.repeat(14).slice(0, 174)}`],
			['a long ticket', `eyJ.${'aZ09-_'.repeat(400)}`.slice(0, traits.longest)],
			...(traits.asciiOnly ? [] : [['text that is not ASCII', '灯会 ünïcode'] as const]),
		];
		test.each(codes)('delivers %s exactly', async (_name, code) => {
			const { scans, open, presentOne } = trial();
			await open();
			await presentOne(code);
			expect(scans).toEqual([{ kind: 'code', text: code, atMs: expect.any(Number) }]);
		});

		if (traits.tellsAim)
			test('tells the AIM identifier apart from the code', async () => {
				const { scans, open, presentOne } = trial();
				await open();
				await presentOne(']Q1SW1:A  B');
				expect(scans).toEqual([{ kind: 'code', text: 'SW1:A  B', aim: ']Q1', atMs: expect.any(Number) }]);
			});
	});
}

/** What every scanner driver must do, whatever it is plugged into. */
export function describeScans(name: string, makeBench: () => Promise<ScannerBench>, traits: ScannerTraits): void {
	describeCodes(name, makeBench, traits);
	describe(`a scanner (${name})`, () => {
		const trial = trials(makeBench);
		/** A device that was plugged in needs a moment until the kernel and udev are done with it. */
		const openSoon = () =>
			expect
				.poll(
					() =>
						trial()
							.open()
							.then(
								() => 'open',
								({ code }) => code,
							),
					patience,
				)
				.toBe('open');

		test('delivers codes one after another, each of them as often as it is read', async () => {
			const { open, texts, presentOne } = trial();
			await open();
			for (const code of ['ONE', 'TWO', 'TWO']) await presentOne(code);
			expect(texts()).toEqual(['ONE', 'TWO', 'TWO']);
		});

		if (!traits.endsBySilence)
			test('never joins a torn code to the next one', async () => {
				const { bench, scans, open, texts, presentOne } = trial();
				await open();
				await bench.tear(`SW1:TORN-HALF${'-'.repeat(100)}`);
				await expect.poll(() => scans.map(({ kind }) => kind), patience).toEqual(['unreadable']);
				await presentOne('GOOD');
				expect(texts()).toEqual(['GOOD']);
			});

		test('reports an unplug as lost within five seconds, and closes all the same', async () => {
			const { bench, open } = trial();
			const scanner = await open();
			const startedMs = performance.now();
			await bench.unplug();
			expect(await scanner.lost).toMatchObject({ code: 'device_lost' });
			expect(performance.now() - startedMs).toBeLessThan(5000);
			await scanner.close();
			await scanner.close();
		});

		test('delivers nothing after it was closed', async () => {
			const { bench, open, texts, presentOne } = trial();
			const scanner = await open();
			await presentOne('BEFORE');
			await Promise.all([bench.present('RACING'), scanner.close()]);
			const after = texts().length;
			await bench.present('AFTER');
			await openSoon();
			await presentOne('AGAIN');
			expect(texts().slice(after)).toEqual(['AGAIN']);
		});

		test('opens again after a re-plug', async () => {
			const { bench, open, texts, presentOne } = trial();
			const scanner = await open();
			await bench.unplug();
			await scanner.lost;
			await expect(open()).rejects.toMatchObject({ code: 'device_absent' });
			await bench.replug();
			await openSoon();
			await presentOne('BACK');
			expect(texts()).toEqual(['BACK']);
		});

		test('leaves a scanner to the program that has it', async () => {
			const { open, texts, presentOne } = trial();
			await open();
			await expect(open()).rejects.toMatchObject({ code: 'device_busy' });
			await presentOne('MINE');
			expect(texts()).toEqual(['MINE']);
		});
	});
}
