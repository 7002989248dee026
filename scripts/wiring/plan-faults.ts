import { type Plan, type PlannedBox, type PlannedWire, type Point, sizes } from './plan.ts';
import { textWidth } from './text-width.ts';

/** What would mislead somebody who wires from a drawing: wires on top of each other, wires through boxes, covered texts. */
export function planFaults(plan: Plan): readonly string[] {
	const { boxes, wires } = plan;
	return [
		...pairsOf(boxes).flatMap(([a, b]) => (overlap(a, b) ? [`${a.id} lies on ${b.id}`] : [])),
		...boxes.flatMap(coveredTerminals),
		...wires.flatMap((wire) =>
			boxes.filter((box) => runsThrough(wire, box)).map(({ id }) => `${nameOf(wire)} runs through ${id}`),
		),
		...pairsOf(wires).flatMap(([a, b]) => (liesOn(a, b) ? [`${nameOf(a)} lies on ${nameOf(b)}`] : [])),
		...(textWidth(plan.title, sizes.title) > plan.width - 2 * sizes.margin
			? ['the title is wider than the drawing']
			: []),
	];
}

/** Where wires of one terminal part: a dot tells that they are joined there. */
export function junctionsOf({ wires }: Plan): readonly Point[] {
	return wires.flatMap((wire) =>
		wire.corners
			.slice(1, -1)
			.filter((corner) =>
				wires.some(
					(other) => other !== wire && areJoined(other, wire) && segmentsOf(other).some((s) => contains(s, corner)),
				),
			),
	);
}

type Segment = readonly [Point, Point];
type Area = Pick<PlannedBox, 'x' | 'y' | 'width' | 'height'>;

function nameOf({ from, to }: PlannedWire): string {
	return `${from} to ${to}`;
}

function pairsOf<T>(all: readonly T[]): readonly (readonly [T, T])[] {
	return all.flatMap((a, index) => all.slice(index + 1).map((b) => [a, b] as const));
}

function overlap(a: Area, b: Area): boolean {
	return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** A box says its name above its terminals, and keeps them all inside. */
function coveredTerminals({ id, y, height, detail, terminals }: PlannedBox): readonly string[] {
	const headEnd = y + (detail.length === 0 ? 28 : 42 + 15 * (detail.length - 1));
	return terminals
		.filter((terminal) => terminal.y - 8 < headEnd || terminal.y + 8 > y + height)
		.map(({ name }) => `${id} has no place for its terminal ${name}`);
}

function segmentsOf({ corners }: PlannedWire): readonly Segment[] {
	return corners.slice(1).map((corner, index) => [corners[index] ?? corner, corner] as const);
}

function runsThrough(wire: PlannedWire, { x, y, width, height }: Area): boolean {
	return segmentsOf(wire).some(([a, b]) => {
		const [left, right] = [Math.min(a.x, b.x), Math.max(a.x, b.x)];
		const [top, bottom] = [Math.min(a.y, b.y), Math.max(a.y, b.y)];
		return left < x + width && right > x && top < y + height && bottom > y;
	});
}

/** Wires that share a terminal are one conductor. */
function areJoined(a: PlannedWire, b: PlannedWire): boolean {
	return [a.from, a.to].some((end) => end === b.from || end === b.to);
}

function liesOn(a: PlannedWire, b: PlannedWire): boolean {
	if (areJoined(a, b)) return false;
	return segmentsOf(a).some((first) => segmentsOf(b).some((second) => shareLength(first, second)));
}

function shareLength([a, b]: Segment, [c, d]: Segment): boolean {
	const shared = (axis: 'x' | 'y') =>
		Math.min(Math.max(a[axis], b[axis]), Math.max(c[axis], d[axis])) -
		Math.max(Math.min(a[axis], b[axis]), Math.min(c[axis], d[axis]));
	const isHorizontal = a.y === b.y && c.y === d.y && a.y === c.y;
	const isVertical = a.x === b.x && c.x === d.x && a.x === c.x;
	return (isHorizontal && shared('x') > 0) || (isVertical && shared('y') > 0);
}

function contains([a, b]: Segment, { x, y }: Point): boolean {
	const between = (p: number, q: number, value: number) => Math.min(p, q) <= value && value <= Math.max(p, q);
	return between(a.x, b.x, x) && between(a.y, b.y, y);
}
