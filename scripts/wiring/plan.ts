import { textWidth, wrapText } from './text-width.ts';
import {
	type Language,
	type PlacedTerminal,
	terminalsOf,
	textIn,
	type Wire,
	type WireKind,
	type Wiring,
	type WiringBox,
	wireKinds,
} from './wiring.ts';

/** Sizes of the drawing, in its own units. */
export const sizes = {
	row: 30,
	margin: 24,
	title: 20,
	name: 15,
	detail: 12,
	terminal: 13,
	label: 12.5,
	note: 13,
	noteLine: 19,
	track: 14,
	legend: 30,
} as const;

/** A point. */
export interface Point {
	readonly x: number;
	readonly y: number;
}

/** A box where it is drawn. */
export interface PlannedBox {
	readonly id: string;
	readonly kind: 'device' | 'part' | 'fire';
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
	readonly name: string;
	readonly detail: readonly string[];
	readonly terminals: readonly (Point & { readonly side: 'left' | 'right'; readonly name: string })[];
}

/** A wire as it runs, from corner to corner. */
export interface PlannedWire {
	readonly from: string;
	readonly to: string;
	readonly kind: WireKind;
	readonly corners: readonly Point[];
	readonly label: (Point & { readonly text: string }) | undefined;
}

/** A drawing in one language, in coordinates. */
export interface Plan {
	readonly language: Language;
	readonly width: number;
	readonly height: number;
	readonly title: string;
	readonly description: string;
	readonly boxes: readonly PlannedBox[];
	readonly wires: readonly PlannedWire[];
	readonly kinds: readonly WireKind[];
	readonly legendY: number;
	readonly notes: readonly (Point & { readonly text: string })[];
}

/**
 * Lays a diagram out: boxes in columns as wide as their texts, wires in the gaps between columns, each bend on a track of
 * its own. Labels lie at the left of a gap and tracks at its right, so that no bend runs through a text.
 */
export function planDrawing(wiring: Wiring, language: Language): Plan {
	const grid = layColumns(wiring, language);
	const terminals = terminalsOf(wiring);
	const rowY = (row: number) => sizes.margin + sizes.title + 14 + row * sizes.row;
	const bottom = rowY(Math.max(...wiring.boxes.map(({ row, rows }) => row + rows))) + 24;
	const notes = layNotes(wiring, language, { y: bottom + sizes.legend + 12, width: grid.width - 2 * sizes.margin });
	return {
		language,
		width: grid.width,
		height: Math.ceil((notes.at(-1)?.y ?? bottom + sizes.legend) + sizes.margin - 4),
		title: textIn(language, wiring.title),
		description: textIn(language, wiring.description),
		boxes: wiring.boxes.map((box) => planBox(box, { grid, language, rowY })),
		wires: wiring.wires.map((wire) => planWire(wire, { grid, language, rowY, terminals, wiring })),
		kinds: wireKinds.filter((kind) => wiring.wires.some((wire) => wire.kind === kind)),
		legendY: bottom + sizes.legend / 2,
		notes,
	};
}

/** Columns and the gaps between them. Gap n lies right of column n; gap -1 at the left edge. */
interface Grid {
	readonly width: number;
	readonly columns: readonly { readonly x: number; readonly width: number }[];
	/** Where the tracks of a gap begin. */
	readonly tracksX: (gap: number) => number;
	readonly labelX: (gap: number) => number;
}

function layColumns(wiring: Wiring, language: Language): Grid {
	const count = Math.max(...wiring.boxes.map(({ column }) => column)) + 1;
	const columns: { x: number; width: number }[] = [];
	const gaps = new Map<number, { x: number; labels: number }>();
	let x: number = sizes.margin;
	for (let gap = -1; gap < count; gap++) {
		const labelled = wiring.wires.filter((wire) => labelGap(wire, wiring) === gap);
		const labels = Math.max(0, ...labelled.map((wire) => labelWidth(wire, language)));
		gaps.set(gap, { x, labels });
		const isEdge = gap === -1 || gap === count - 1;
		const tracks = bentIn(wiring, gap).length;
		x += isEdge && tracks === 0 ? 0 : labels + (tracks + 1) * sizes.track + 26;
		if (gap === count - 1) break;
		const width = Math.max(
			...wiring.boxes.filter(({ column }) => column === gap + 1).map((box) => boxWidth(box, language)),
		);
		columns.push({ x, width });
		x += width;
	}
	const gapOf = (gap: number) => gaps.get(gap) ?? { x: 0, labels: 0 };
	return {
		width: Math.ceil(x + sizes.margin),
		columns,
		labelX: (gap) => gapOf(gap).x + 12,
		tracksX: (gap) => gapOf(gap).x + gapOf(gap).labels + 26,
	};
}

function labelWidth({ label }: Wire, language: Language): number {
	return label === undefined ? 0 : textWidth(textIn(language, label), sizes.label);
}

function boxWidth({ name, detail, left = [], right = [] }: WiringBox, language: Language): number {
	const widest = (terminals: typeof left) =>
		Math.max(0, ...terminals.map((terminal) => textWidth(textIn(language, terminal.name ?? ''), sizes.terminal)));
	const inside = widest(left) + widest(right) + (left.length > 0 && right.length > 0 ? 24 : 0);
	const details = detail === undefined ? [] : detailLines(textIn(language, detail));
	// A name is bold, which is wider.
	const texts = [
		1.1 * textWidth(textIn(language, name), sizes.name),
		...details.map((line) => textWidth(line, sizes.detail)),
	];
	return Math.max(inside, ...texts) + 30;
}

/** A detail is cut where its author put a semicolon and a space. */
function detailLines(detail: string): readonly string[] {
	return detail.split(/(?<=[;；])\s*/).map((line) => line.replace(/[;；]$/, ''));
}

interface Place {
	readonly grid: Grid;
	readonly language: Language;
	readonly rowY: (row: number) => number;
}

function planBox(box: WiringBox, { grid, language, rowY }: Place): PlannedBox {
	const column = grid.columns[box.column] ?? { x: 0, width: 0 };
	const terminals = (['left', 'right'] as const).flatMap((side) =>
		(box[side] ?? []).map(({ row, name }) => ({
			side,
			name: textIn(language, name ?? ''),
			x: side === 'left' ? column.x : column.x + column.width,
			y: rowY(row),
		})),
	);
	return {
		id: box.id,
		kind: box.kind ?? 'device',
		x: column.x,
		y: rowY(box.row),
		width: column.width,
		height: box.rows * sizes.row,
		name: textIn(language, box.name),
		detail: box.detail === undefined ? [] : detailLines(textIn(language, box.detail)),
		terminals,
	};
}

/** The gap that a terminal looks into. */
function gapAt({ box, side }: PlacedTerminal): number {
	return side === 'right' ? box.column : box.column - 1;
}

function endsOf({ from, to }: Wire, wiring: Wiring): readonly [PlacedTerminal, PlacedTerminal] {
	const terminals = terminalsOf(wiring);
	const [a, b] = [terminals.get(from), terminals.get(to)];
	// `readWiring` has refused wires without a terminal.
	if (!a || !b) throw new Error(`assertion failed: ${from} and ${to} are terminals`);
	return [a, b];
}

/** A label lies in the gap of the end that is at the left side of it; else at `from`. */
function labelGap(wire: Wire, wiring: Wiring): number {
	const [a, b] = endsOf(wire, wiring);
	return gapAt(a.side === 'left' && b.side === 'right' ? b : a);
}

/** Wires that bend in a gap, in the order in which they are written. */
function bentIn(wiring: Wiring, gap: number): readonly Wire[] {
	return wiring.wires.filter((wire) => {
		const [a, b] = endsOf(wire, wiring);
		if (gapAt(a) === gapAt(b)) return gapAt(a) === gap && a.terminal.row !== b.terminal.row;
		return gapAt(a) === gap || gapAt(b) === gap;
	});
}

function planWire(
	wire: Wire,
	{
		grid,
		language,
		rowY,
		terminals,
		wiring,
	}: Place & { terminals: ReadonlyMap<string, PlacedTerminal>; wiring: Wiring },
): PlannedWire {
	const [a, b] = [terminals.get(wire.from), terminals.get(wire.to)];
	if (!a || !b) throw new Error(`assertion failed: ${wire.from} and ${wire.to} are terminals`);
	const point = ({ box, side, terminal }: PlacedTerminal): Point => {
		const column = grid.columns[box.column] ?? { x: 0, width: 0 };
		return { x: side === 'left' ? column.x : column.x + column.width, y: rowY(terminal.row) };
	};
	const trackX = (end: PlacedTerminal) =>
		grid.tracksX(gapAt(end)) + bentIn(wiring, gapAt(end)).indexOf(wire) * sizes.track;
	const [start, stop] = [point(a), point(b)];
	const corners: Point[] = [start];
	if (gapAt(a) !== gapAt(b)) {
		if (wire.via === undefined) throw new Error(`${wire.from} to ${wire.to} passes a column: give it a row, \`via\``);
		const y = rowY(wire.via);
		corners.push({ x: trackX(a), y: start.y }, { x: trackX(a), y }, { x: trackX(b), y }, { x: trackX(b), y: stop.y });
	} else if (start.y !== stop.y) {
		corners.push({ x: trackX(a), y: start.y }, { x: trackX(a), y: stop.y });
	}
	corners.push(stop);
	const labelled = a.side === 'left' && b.side === 'right' ? b : a;
	const label =
		wire.label === undefined
			? undefined
			: { text: textIn(language, wire.label), x: grid.labelX(gapAt(labelled)), y: point(labelled).y - 6 };
	return { from: wire.from, to: wire.to, kind: wire.kind, corners, label };
}

function layNotes(
	{ notes }: Wiring,
	language: Language,
	{ y, width }: { readonly y: number; readonly width: number },
): Plan['notes'] {
	const lines = notes.flatMap((note, index) => wrapText(`${index + 1}. ${textIn(language, note)}`, sizes.note, width));
	return lines.map((text, index) => ({ text, x: sizes.margin, y: y + (index + 1) * sizes.noteLine }));
}
