import Type, { type Static } from 'typebox';
import { Errors } from 'typebox/value';
import { parse } from 'yaml';

/** The languages that a guide is written in; the first one has no suffix in its file's name. */
export const languages = ['en', 'zh-CN'] as const;
/** @see languages */
export type Language = (typeof languages)[number];

const strict = { additionalProperties: false } as const;
const id = Type.String({ pattern: '^[a-z0-9][a-z0-9_-]*$' });
const row = (description: string) => Type.Number({ minimum: 0, maximum: 60, multipleOf: 0.5, description });
const text = Type.Union(
	[
		Type.String({ minLength: 1 }),
		Type.Object({ en: Type.String({ minLength: 1 }), 'zh-CN': Type.String({ minLength: 1 }) }, strict),
	],
	{ description: 'One text for all languages (what is printed on a terminal), or one for each.' },
);

const terminalSchema = Type.Object(
	{
		id,
		row: row('Where it lies, counted from the top of the drawing.'),
		name: Type.Optional(text),
		sets: Type.Optional(
			Type.Record(Type.String(), Type.Unknown(), {
				description: 'What the gate’s file says of this terminal, by path: the test compares the two.',
			}),
		),
	},
	strict,
);

const boxSchema = Type.Object(
	{
		id,
		column: Type.Integer({ minimum: 0, maximum: 5 }),
		row: row('Its top.'),
		rows: Type.Number({ minimum: 1, maximum: 40, multipleOf: 0.5 }),
		name: text,
		detail: Type.Optional(text),
		kind: Type.Optional(
			Type.Enum(['device', 'part', 'fire'], {
				default: 'device',
				description: '`part`: a resistor, a terminal block.',
			}),
		),
		left: Type.Optional(Type.Array(terminalSchema)),
		right: Type.Optional(Type.Array(terminalSchema)),
	},
	strict,
);

/** What runs in a wire, in the order of the legend. */
export const wireKinds = ['power', 'ground', 'contact', 'data', 'network', 'radio', 'fire'] as const;
/** @see wireKinds */
export type WireKind = (typeof wireKinds)[number];

const end = Type.String({ pattern: '^[a-z0-9_-]+\\.[a-z0-9_-]+$', description: 'box.terminal' });
const wireSchema = Type.Object(
	{
		from: end,
		to: end,
		kind: Type.Enum([...wireKinds]),
		label: Type.Optional(text),
		via: Type.Optional(row('The row in which it passes the columns between its ends.')),
	},
	strict,
);

const wiringSchema = Type.Object(
	{
		gate: Type.String({
			pattern: '^[a-z0-9-]+\\.yaml$',
			description: 'The file of device-configs/gates that belongs to it.',
		}),
		models: Type.Array(Type.String(), { description: 'Models of device-configs that are drawn.' }),
		title: text,
		description: text,
		boxes: Type.Array(boxSchema, { minItems: 2 }),
		wires: Type.Array(wireSchema, { minItems: 1 }),
		notes: Type.Array(text, { maxItems: 6 }),
	},
	strict,
);

/** A wiring diagram as data: boxes with terminals, and the wires between them. */
export type Wiring = Static<typeof wiringSchema>;
/** @see Wiring */
export type WiringBox = Wiring['boxes'][number];
/** @see Wiring */
export type Terminal = Static<typeof terminalSchema>;
/** @see Wiring */
export type Wire = Wiring['wires'][number];
/** A text for people. */
export type DrawnText = Static<typeof text>;

/** Reads a diagram. Throws with all problems of the file at once, wires without a terminal among them. */
export function readWiring(file: string, yaml: string): Wiring {
	const value: unknown = parse(yaml, { maxAliasCount: 0 });
	const problems = Errors(wiringSchema, value).map(({ instancePath, message }) => `${instancePath} ${message}`);
	if (problems.length === 0) problems.push(...looseEnds(value as Wiring));
	if (problems.length > 0) throw new Error(`${file}:\n  ${problems.join('\n  ')}`);
	return value as Wiring;
}

/** A text in one language. */
export function textIn(language: Language, drawn: DrawnText): string {
	return typeof drawn === 'string' ? drawn : drawn[language];
}

/** A terminal where its box is. */
export interface PlacedTerminal {
	readonly box: WiringBox;
	readonly side: 'left' | 'right';
	readonly terminal: Terminal;
}

/** All terminals by `box.terminal`. */
export function terminalsOf({ boxes }: Wiring): ReadonlyMap<string, PlacedTerminal> {
	const sides = ['left', 'right'] as const;
	return new Map(
		boxes.flatMap((box) =>
			sides.flatMap((side) =>
				(box[side] ?? []).map((terminal) => [`${box.id}.${terminal.id}`, { box, side, terminal }] as const),
			),
		),
	);
}

function looseEnds(wiring: Wiring): string[] {
	const terminals = terminalsOf(wiring);
	const wired = new Set(wiring.wires.flatMap(({ from, to }) => [from, to]));
	return [
		...[...wired].filter((end) => !terminals.has(end)).map((end) => `${end} is no terminal`),
		...[...terminals.keys()].filter((end) => !wired.has(end)).map((end) => `nothing is wired to ${end}`),
	];
}
