import { correction, generate } from 'lean-qr';
import { toPngBuffer } from 'lean-qr/extras/node_export';
import { toSvgPath } from 'lean-qr/extras/svg';

/**
 * A QR code (ISO/IEC 18004) with error correction M or, where the same size has room for it, better.
 * `size` counts modules along one side: 21 for version 1, 45 for version 7.
 */
export interface QrCode {
	readonly version: number;
	readonly size: number;
	/** Whether the module in this column and row is dark; light outside. */
	get(x: number, y: number): boolean;
}

/** What stands below a printed code, for people. */
export interface QrCaption {
	/** What programs call the picture. */
	readonly title: string;
	readonly lines: readonly CaptionLine[];
}

/** One line of a caption; it is set smaller where it would not fit. */
export interface CaptionLine {
	readonly text: string;
	readonly bold: boolean;
}

/** Light modules on each side that a reader needs to find the code (ISO/IEC 18004). */
const quietZone = 4;

/** Printed size of one module; scanners at gates read 0.33 mm, phones at arm's length like more. */
const moduleMm = 0.5;

/** Pixels of one module in a PNG. */
const modulePixels = 8;

/** Encodes a text; text in capitals, digits and `$%*+-./:` takes the alphanumeric mode, so it comes out smaller. */
export function qrCode(text: string): QrCode {
	const code = generate(text, { minCorrectionLevel: correction.M });
	return { version: (code.size - 17) / 4, size: code.size, get: (x, y) => code.get(x, y) };
}

/** Columns that `drawTerminal` takes. */
export function terminalColumns(code: QrCode): number {
	return code.size + 2 * quietZone;
}

/** Rows that `drawTerminal` takes. */
export function terminalRows(code: QrCode): number {
	return Math.ceil(terminalColumns(code) / 2);
}

/**
 * Draws with half blocks, two rows of modules to a line. With color the drawing brings its own black and white and so
 * is right on any background; without, blocks are the light modules, as on the usual dark terminal.
 */
export function drawTerminal(code: QrCode, color: boolean): string {
	const lines: string[] = [];
	for (let y = -quietZone; y < code.size + quietZone; y += 2) {
		let line = '';
		for (let x = -quietZone; x < code.size + quietZone; x++) {
			line += halfBlock(code.get(x, y) === color, code.get(x, y + 1) === color);
		}
		lines.push(color ? `\x1b[38;5;16;48;5;231m${line}\x1b[0m` : line);
	}
	return `${lines.join('\n')}\n`;
}

function halfBlock(upper: boolean, lower: boolean): string {
	if (upper) return lower ? '█' : '▀';
	return lower ? '▄' : ' ';
}

/** Draws black on white, without a caption. */
export function drawPng(code: QrCode): Uint8Array {
	return toPngBuffer(code, { on: [0, 0, 0], off: [255, 255, 255], pad: quietZone, scale: modulePixels });
}

/** Draws black on white at print size, with the caption below the quiet zone. */
export function drawSvg(code: QrCode, caption: QrCaption): string {
	const width = code.size + 2 * quietZone;
	const { title, lines } = caption;
	const height = width + lines.length * lineHeight + (lines.length > 0 ? quietZone / 2 : 0);
	const texts = lines.map((line, index) => captionText(line, width, width + (index + 0.7) * lineHeight));
	return [
		'<?xml version="1.0" encoding="UTF-8"?>',
		`<svg xmlns="http://www.w3.org/2000/svg" width="${width * moduleMm}mm" height="${height * moduleMm}mm" viewBox="0 0 ${width} ${height}">`,
		`<title>${escapeXml(title)}</title>`,
		`<rect width="${width}" height="${height}" fill="#fff"/>`,
		`<path transform="translate(${quietZone} ${quietZone})" d="${toSvgPath(code)}" fill="#000" shape-rendering="crispEdges"/>`,
		...texts,
		'</svg>\n',
	].join('\n');
}

/** All in modules. */
const lineHeight = 4;
const fontSizeMax = 3.2;

/** A seat may have 64 characters; beyond this many columns it goes on in the next line. */
const captionColumns = 26;

/** The caption of a ticket: event, class, seat and the number that staff type, with its check digit. */
export function ticketCaption({
	evt,
	cls,
	seat = '',
	typed,
}: {
	readonly evt: string;
	readonly cls: string;
	readonly seat?: string;
	readonly typed: string;
}): QrCaption {
	const plain = [evt, cls].map((text) => ({ text, bold: false }));
	const bold = [...wrap(seat), typed].map((text) => ({ text, bold: true }));
	return { title: `${evt} ${typed}`, lines: [...plain, ...bold] };
}

function captionText({ text, bold }: CaptionLine, width: number, y: number): string {
	// Sans-serif letters are about 0.6 of their size wide; a line that would not fit is set smaller.
	const size = Math.min(fontSizeMax, (width - 2) / (0.62 * columnsOf(text)));
	const weight = bold ? ' font-weight="bold"' : '';
	return `<text x="${width / 2}" y="${y}" font-family="sans-serif" font-size="${size.toFixed(2)}"${weight} text-anchor="middle">${escapeXml(text)}</text>`;
}

function wrap(text: string): readonly string[] {
	const lines: string[] = [];
	let line = '';
	// A line may break after a space and on either side of a Chinese character.
	for (const piece of text.match(/[\u2e80-\uffef]|[^\s\u2e80-\uffef]+\s*|\s+/gu) ?? []) {
		if (line !== '' && columnsOf(line + piece.trimEnd()) > captionColumns) {
			lines.push(line.trim());
			line = '';
		}
		line += piece;
	}
	return line.trim() === '' ? lines : [...lines, line.trim()];
}

function columnsOf(text: string): number {
	let columns = 0;
	for (const character of text)
		columns += /[\u1100-\u115f\u2e80-\uffef]|\p{Extended_Pictographic}/u.test(character) ? 2 : 1;
	return columns;
}

function escapeXml(text: string): string {
	return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
