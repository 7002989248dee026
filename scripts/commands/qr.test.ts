import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';
import { drawPng, drawSvg, drawTerminal, qrCode, terminalColumns, ticketCaption } from './qr.ts';

// An alphanumeric text as long as a typical compact ticket, with the double spaces that base45 can hold.
const ticket = `SW1:${'AB  C $%*+-./:0123456789 Z'.repeat(7).slice(0, 173)}Q`;
const caption = { evt: 'lantern-2026', cls: 'adult', typed: '4711-3' };

/** A picture as gray values: 0 is black, 255 is white. */
interface Picture {
	readonly width: number;
	readonly height: number;
	readonly gray: (x: number, y: number) => number;
}

async function readPicture(input: Picture | Uint8Array, invert = false): Promise<{ text: string; ecLevel: string }> {
	const image = input instanceof Uint8Array ? input : pixels(input, 4);
	const options = { formats: ['QRCode' as const], tryInvert: invert, tryRotate: false, tryDownscale: false };
	const [read, ...others] = await readBarcodes(image, { ...options, textMode: 'Plain' });
	expect(others).toEqual([]);
	return { text: read?.text ?? '', ecLevel: read?.ecLevel ?? '' };
}

function pixels({ width, height, gray }: Picture, scale: number): ImageData {
	const data = new Uint8ClampedArray(width * height * scale * scale * 4);
	for (let y = 0; y < height * scale; y++) {
		for (let x = 0; x < width * scale; x++) {
			const value = gray(Math.floor(x / scale), Math.floor(y / scale));
			data.set([value, value, value, 255], (y * width * scale + x) * 4);
		}
	}
	return { data, width: width * scale, height: height * scale, colorSpace: 'srgb' } as ImageData;
}

/** Paints what a terminal shows: every cell is two pixels, in the colors in force, on the terminal's own otherwise. */
function terminalPicture(drawing: string, own: { ink: number; paper: number }): Picture {
	const margin = 3;
	const rows = drawing.trimEnd().split('\n').map(cells(own));
	const width = Math.max(...rows.map((row) => row.length));
	const at = (x: number, y: number): number => {
		const cell = rows[Math.floor(y / 2)]?.[x];
		if (cell === undefined) return own.paper;
		const inked = cell.character === '█' || cell.character === (y % 2 === 0 ? '▀' : '▄');
		return inked ? cell.ink : cell.paper;
	};
	return {
		width: width + 2 * margin,
		height: rows.length * 2 + 2 * margin,
		gray: (x, y) => (y < margin ? own.paper : at(x - margin, y - margin)),
	};
}

interface Cell {
	readonly character: string;
	readonly ink: number;
	readonly paper: number;
}

function cells(own: { ink: number; paper: number }): (line: string) => readonly Cell[] {
	const palette: Record<string, number> = { '16': 0, '231': 255 };
	return (line) => {
		let { ink, paper } = own;
		const row: Cell[] = [];
		// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence begins with one.
		for (const [, sgr, character] of line.matchAll(/\x1b\[([\d;]*)m|(.)/gu)) {
			if (sgr === '0') ({ ink, paper } = own);
			const colors = /^38;5;(\d+);48;5;(\d+)$/.exec(sgr ?? '');
			if (colors) [ink = Number.NaN, paper = Number.NaN] = [palette[colors[1] ?? ''], palette[colors[2] ?? '']];
			if (character !== undefined) row.push({ character, ink, paper });
		}
		return row;
	};
}

/** Fills the one path of an SVG by the nonzero rule, at the centers of its modules. */
function svgPicture(svg: string): Picture {
	const [, width, height] = /viewBox="0 0 (\d+) (\d+)/.exec(svg) ?? [];
	const [, left, top] = /translate\((\d+) (\d+)\)/.exec(svg) ?? [];
	const [, path = ''] = / d="([^"]*)"/.exec(svg) ?? [];
	const polygons = path
		.split('Z')
		.map((part) => [...part.matchAll(/[ML](\d+) (\d+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const));
	const winding = (x: number, y: number): number => {
		let turns = 0;
		for (const polygon of polygons) {
			polygon.forEach(([x1, y1], index) => {
				const [, y2] = polygon[(index + 1) % polygon.length] ?? [0, 0];
				if (x1 < x && y1 <= y && y2 > y) turns++;
				if (x1 < x && y2 <= y && y1 > y) turns--;
			});
		}
		return turns;
	};
	return {
		width: Number(width),
		height: Number(height),
		gray: (x, y) => (winding(x - Number(left) + 0.5, y - Number(top) + 0.5) === 0 ? 255 : 0),
	};
}

beforeAll(async () => {
	const wasm = await readFile(createRequire(import.meta.url).resolve('zxing-wasm/reader/zxing_reader.wasm'));
	await prepareZXingModule({ overrides: { wasmBinary: new Uint8Array(wasm).buffer }, fireImmediately: true });
});

describe('the QR code of a ticket', () => {
	it('is version 7 with error correction M for the 178 characters of a typical ticket', async () => {
		expect(ticket).toHaveLength(178);
		expect(qrCode(ticket)).toMatchObject({ version: 7, size: 45 });
		expect(qrCode(`${ticket}A`).version).toBe(8);
		expect((await readPicture(drawPng(qrCode(ticket)))).ecLevel).toBe('M');
	});

	it('is read back from the PNG', async () => {
		expect((await readPicture(drawPng(qrCode(ticket)))).text).toBe(ticket);
	});

	it('is read back from the SVG', async () => {
		expect((await readPicture(svgPicture(drawSvg(qrCode(ticket), ticketCaption(caption))))).text).toBe(ticket);
	});

	it('is read back from a terminal of any background when it may use color', async () => {
		const drawing = drawTerminal(qrCode(ticket), true);
		for (const own of [
			{ ink: 255, paper: 0 },
			{ ink: 0, paper: 255 },
			{ ink: 90, paper: 60 },
		]) {
			expect((await readPicture(terminalPicture(drawing, own))).text).toBe(ticket);
		}
	});

	it('is read back without color from a dark terminal, and inverted from a light one', async () => {
		const drawing = drawTerminal(qrCode(ticket), false);
		expect(drawing).not.toContain('\x1b');
		expect((await readPicture(terminalPicture(drawing, { ink: 255, paper: 0 }))).text).toBe(ticket);
		const onLight = terminalPicture(drawing, { ink: 0, paper: 255 });
		expect((await readPicture(onLight)).text).toBe('');
		expect((await readPicture(onLight, true)).text).toBe(ticket);
	});

	it('fits a terminal of 80 columns with its quiet zone', () => {
		const lines = drawTerminal(qrCode(ticket), false).trimEnd().split('\n');
		expect(new Set(lines.map((line) => line.length))).toEqual(new Set([terminalColumns(qrCode(ticket))]));
		expect(terminalColumns(qrCode(ticket))).toBeLessThan(80);
	});

	it('keeps every text that a ticket can hold', async () => {
		const base45 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
		const compact = fc.string({ unit: fc.constantFrom(...base45), minLength: 1, maxLength: 400 });
		const jws = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_.'), minLength: 1, maxLength: 1200 });
		await fc.assert(
			fc.asyncProperty(fc.oneof(compact, jws), async (text) => {
				expect((await readPicture(drawPng(qrCode(text)))).text).toBe(text);
			}),
			{ numRuns: 30 },
		);
	});
});

describe('the caption below a printed code', () => {
	it('says event, class, seat and number, outside the quiet zone', () => {
		const svg = drawSvg(qrCode(ticket), ticketCaption({ ...caption, seat: 'Row 3 <Seat> "7" & aisle' }));
		const texts = [...svg.matchAll(/<text x="[\d.]+" y="([\d.]+)"[^>]*>([^<]*)</g)];
		expect(texts.map(([, , text]) => text)).toEqual([
			'lantern-2026',
			'adult',
			'Row 3 &#60;Seat&#62; &#34;7&#34; &#38; aisle',
			'4711-3',
		]);
		for (const [, y] of texts) expect(Number(y)).toBeGreaterThan(45 + 8);
	});

	it('breaks a long seat into lines and loses none of it', () => {
		const seats = [
			'Upper circle, entrance 14, block C, row 27, seat 114 (restricted)',
			'二层看台十四号入口丙区第二十七排第一百一十四号座位视线受阻',
		];
		for (const seat of seats) {
			const svg = drawSvg(qrCode(ticket), ticketCaption({ ...caption, seat }));
			const lines = [...svg.matchAll(/font-weight="bold"[^>]*>([^<]*)</g)].map(([, text]) => text).slice(0, -1);
			expect(lines.length).toBeGreaterThan(1);
			expect(lines.join('').replaceAll(' ', '')).toBe(seat.replaceAll(' ', ''));
		}
	});
});
