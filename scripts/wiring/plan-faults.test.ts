import { describe, expect, it } from 'vitest';
import { drawSvg } from './drawing.ts';
import { planDrawing } from './plan.ts';
import { junctionsOf, planFaults } from './plan-faults.ts';
import { readWiring } from './wiring.ts';

interface Terminals {
	readonly id: string;
	readonly column: number;
	readonly row?: number;
	readonly side: 'left' | 'right';
	readonly terminals: Readonly<Record<string, number>>;
}

function box({ id, column, row = 0, side, terminals }: Terminals) {
	const placed = Object.entries(terminals).map(([name, at]) => ({ id: name, row: at, name }));
	return { id, column, row, rows: 6, name: 'Box & Co', [side]: placed };
}

/** Two boxes side by side with two terminals each, and the wires between them. */
function diagram({ wires = ['a.one b.one', 'a.two b.two'], lower = 4, more = [] as readonly Terminals[] } = {}) {
	const boxes = [
		box({ id: 'a', column: 0, side: 'right', terminals: { one: 2, two: 4 } }),
		box({ id: 'b', column: 1, side: 'left', terminals: { one: 2, two: lower } }),
		...more.map(box),
	];
	const drawn = wires.map((wire) => {
		const [from, to] = wire.split(' ');
		return { from, to, kind: 'contact', label: 'pulse' };
	});
	const texts = { title: 'A diagram', description: 'Of two boxes', notes: ['A note'] };
	return readWiring('gate.yaml', JSON.stringify({ gate: 'gate.yaml', models: [], ...texts, boxes, wires: drawn }));
}

const faults = (wiring: ReturnType<typeof diagram>) => planFaults(planDrawing(wiring, 'en'));

describe('a wiring diagram', () => {
	it('is drawn where nothing covers anything', () => {
		expect(faults(diagram())).toEqual([]);
	});

	it('bends a wire to another row on a track of its own, and marks where wires of one terminal part', () => {
		const plan = planDrawing(diagram({ wires: ['a.one b.one', 'a.two b.two', 'a.one b.two'] }), 'en');
		expect(plan.wires[2]?.corners).toHaveLength(4);
		expect(junctionsOf(plan)).toHaveLength(2);
	});

	it('names wires that lie on each other', () => {
		const crossed = diagram({ wires: ['a.one b.two', 'a.two b.one'] });
		expect(faults(crossed)).toEqual(['a.one to b.two lies on a.two to b.one']);
	});

	it('names boxes on top of each other, and a wire through a box', () => {
		const more: Terminals = { id: 'c', column: 1, row: 3, side: 'left', terminals: { one: 5 } };
		const wires = ['a.one b.one', 'a.two b.two', 'a.two c.one'];
		expect(faults(diagram({ more: [more], wires }))).toContain('b lies on c');
	});

	it('names a terminal that lies in the head of its box, or below its end', () => {
		expect(faults(diagram({ lower: 0 }))).toContain('b has no place for its terminal two');
		expect(faults(diagram({ lower: 6 }))).toContain('b has no place for its terminal two');
	});

	it('refuses a wire without a terminal and a terminal without a wire, all at once', () => {
		expect(() => diagram({ wires: ['a.one b.none'] })).toThrow(
			/b\.none is no terminal[\s\S]*a\.two[\s\S]*b\.one[\s\S]*b\.two/,
		);
	});

	it('escapes what people write', () => {
		const svg = drawSvg(planDrawing(diagram(), 'zh-CN'));
		expect(svg).toContain('>Box &amp; Co</text>');
		expect(svg).toContain('xml:lang="zh-CN"');
	});
});
