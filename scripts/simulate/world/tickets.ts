import type { ClassPolicy, Policy } from '../../../gate-agent/core/policy.ts';
import { classPolicyDefaults } from '../../../gate-agent/core/policy.ts';

/** The event of every world. */
export const evt = 'lantern';

/** A ticket as a visitor carries it. What is printed here is the truth of the world, whatever programs make of it. */
export interface WorldTicket {
	/** What the story calls it: `T3`. */
	readonly name: string;
	readonly idx: number;
	readonly cls: string;
	/** Admissions that it carries. */
	readonly use: number;
	/** What the scanner reads. */
	readonly text: string;
	/** The order that it was sold with; a forged one has none. */
	readonly order?: string;
	/** Why no gate may ever open for it. */
	readonly flaw?: Flaw;
	/** The one gate that may admit it. */
	readonly home?: string;
}

/** What is wrong with a code. */
export type Flaw = 'forged' | 'of another event' | 'expired' | 'not valid yet' | 'of an unknown key' | 'no ticket';

/** Ticket classes of every world, and how often each is sold. */
export const classes = {
	/** Admitted on the lane's own word while nobody can be asked. */
	adult: {},
	/** Only with the authority's word: so nobody may ever enter twice. */
	strict: { offline: 'refuse' },
	/** One scan lets all of them in. */
	group: { group: 'run' },
	/** The same, only with the authority's word. */
	party: { group: 'run', offline: 'refuse' },
	/** A use is gone once the gate was open. */
	final: { giveBack: false },
	/** One gate only. */
	home: { homeOnly: true },
} as const satisfies Record<string, Partial<ClassPolicy>>;

/** @see classes */
export type ClassName = keyof typeof classes;

/** The rules of the event. */
export const policy: Policy = {
	evt,
	timeZone: 'Asia/Shanghai',
	dayStartsAtMinutes: 240,
	classes: Object.fromEntries(
		Object.entries(classes).map(([name, rules]) => [name, { ...classPolicyDefaults, ...rules }]),
	),
	unknownClass: 'staff',
	sessions: {},
};

/** Whether a class is admitted only with the authority's word. */
export function needsAuthority(cls: string): boolean {
	return policy.classes[cls]?.offline === 'refuse';
}
