/** The kinds of tickets that are presented, good ones and others. */
export const goodKinds = ['single', 'three', 'group', 'annual'] as const;
/** Codes for which nothing may ever open. */
export const badKinds = ['forged', 'expired', 'revoked_key', 'unknown_key'] as const;
/** @see goodKinds, badKinds */
export type TicketKind = (typeof goodKinds)[number] | (typeof badKinds)[number];

/** The n-th ticket of a kind. */
export interface TicketRef {
	readonly kind: TicketKind;
	readonly nth: number;
}

/** What the nemesis does. Times in milliseconds. */
export type Action =
	| { readonly kind: 'present'; readonly ticket: TicketRef; readonly times: number; readonly gapMs: number }
	| { readonly kind: 'burst'; readonly tickets: readonly TicketRef[] }
	| { readonly kind: 'torn'; readonly ticket: TicketRef; readonly keep: number }
	| { readonly kind: 'garbage'; readonly bytes: number }
	| {
			readonly kind: 'kill';
			readonly moment: 'now' | 'after_scan' | 'after_on';
			readonly ticket: TicketRef;
			readonly delayMs: number;
			readonly downMs: number;
	  }
	| { readonly kind: 'term'; readonly downMs: number }
	| { readonly kind: 'pull'; readonly device: 'scanner' | 'relay'; readonly ms: number }
	| { readonly kind: 'no_power'; readonly ms: number }
	| { readonly kind: 'freeze'; readonly ms: number }
	| { readonly kind: 'full_disk'; readonly ms: number; readonly ticket: TicketRef }
	| { readonly kind: 'fire'; readonly ms: number };

/** What the visitor for whom the turnstile opens does, and when. */
export interface Visitor {
	readonly kind: 'pass' | 'turn_back' | 'late' | 'tailgate' | 'climb';
	readonly afterMs: number;
}

/** A plan: what is done one after the other, each so long after the one before, and who comes to the turnstile. */
export interface Plan {
	readonly seed: number;
	readonly steps: readonly { readonly afterMs: number; readonly action: Action }[];
	/** The n-th opening meets the n-th visitor; after the last one the first again. */
	readonly visitors: readonly Visitor[];
	/** How many tickets of each kind it needs. */
	readonly tickets: Readonly<Record<TicketKind, number>>;
}

/** What a plan is made for. */
export interface PlanOptions {
	readonly seed: number;
	/** How long it runs, about. */
	readonly ms: number;
	/** Whether the board has a supply of its own and contacts for the fire alarm. */
	readonly contacts: boolean;
}

/** A small seeded generator (mulberry32): whole numbers from 0 to below the limit. */
export function randomOf(seed: number): (below: number) => number {
	let state = seed | 0;
	return (below) => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) % below;
	};
}

type Random = (below: number) => number;

/** Draws one entry by its weight. */
function draw<T>(random: Random, weighted: readonly (readonly [weight: number, value: T])[]): T {
	const total = weighted.reduce((sum, [weight]) => sum + weight, 0);
	let left = random(total);
	for (const [weight, value] of weighted) {
		left -= weight;
		if (left < 0) return value;
	}
	throw new Error('assertion failed: the weights add up');
}

/** Draws tickets: mostly a fresh single one, sometimes one that was drawn before, sometimes a bad one. */
function ticketsFor(random: Random) {
	const drawn = { single: 0, three: 0, group: 0, annual: 0, forged: 0, expired: 0, revoked_key: 0, unknown_key: 0 };
	const fresh = (kind: TicketKind): TicketRef => ({ kind, nth: drawn[kind]++ });
	const again = (kind: TicketKind): TicketRef =>
		drawn[kind] === 0 ? fresh(kind) : { kind, nth: Math.max(0, drawn[kind] - 1 - random(4)) };
	const any = (): TicketRef => {
		const kind = draw<TicketKind>(random, [
			[50, 'single'],
			[12, 'three'],
			[6, 'group'],
			[8, 'annual'],
			[6, 'forged'],
			[4, 'expired'],
			[4, 'revoked_key'],
			[4, 'unknown_key'],
		]);
		return random(100) < (kind === 'single' ? 25 : 60) ? again(kind) : fresh(kind);
	};
	return { drawn, any, fresh: () => fresh('single') };
}

/** One fault in so many steps; between them visitors come. */
const stepsPerFault = 4;

/** Makes the plan of a seed: the same seed and options give the same plan. Even a short one has every fault. */
export function planOf({ seed, ms, contacts }: PlanOptions): Plan {
	const random = randomOf(seed);
	const tickets = ticketsFor(random);
	const steps: { afterMs: number; action: Action }[] = [];
	let deck: Fault[] = [];
	for (let atMs = 0; atMs < ms; ) {
		// An agent that was ended is given time to come back, mostly: what meets a dead one meets nothing.
		const last = steps.at(-1)?.action.kind;
		const isDown = last === 'kill' || last === 'term';
		const afterMs = draw(random, [
			[4, 20 + random(250)],
			[3, 250 + random(450)],
			[isDown ? 14 : 1, 900 + random(600)],
		]);
		if (deck.length === 0) deck = shuffled(random, contacts ? [...faults, 'no_power', 'fire'] : faults);
		const fault = steps.length % stepsPerFault === stepsPerFault - 1 ? deck.pop() : undefined;
		const action = fault ? faultOf(fault, random, tickets) : visitOf(random, tickets);
		steps.push({ afterMs, action });
		atMs += afterMs + ('downMs' in action ? action.downMs : 0);
	}
	const visitors = Array.from({ length: 997 }, () => visitorOf(random));
	return { seed, steps, visitors, tickets: tickets.drawn };
}

/** What is broken in turn; the moments of a kill are faults of their own. */
const faults = [
	'now',
	'after_scan',
	'after_on',
	'after_on',
	'term',
	'scanner',
	'relay',
	'freeze',
	'full_disk',
] as const;
type Fault = (typeof faults)[number] | 'no_power' | 'fire';

function shuffled<T>(random: Random, of: readonly T[]): T[] {
	const deck = [...of];
	for (let left = deck.length; left > 1; left -= 1) {
		const at = random(left);
		deck.push(...deck.splice(at, 1));
	}
	return deck;
}

type Tickets = ReturnType<typeof ticketsFor>;

function visitOf(random: Random, tickets: Tickets): Action {
	const kind = draw(random, [
		[30, 'present'],
		[2, 'burst'],
		[1, 'torn'],
		[1, 'garbage'],
	] as const);
	switch (kind) {
		case 'present':
			return {
				kind,
				ticket: tickets.any(),
				times: draw(random, [
					[3, 1],
					[1, 2],
					[1, 3],
				]),
				gapMs: random(30),
			};
		case 'burst':
			return { kind, tickets: Array.from({ length: 2 + random(6) }, () => tickets.any()) };
		case 'torn':
			return { kind, ticket: tickets.any(), keep: 1 + random(90) };
		case 'garbage':
			return { kind, bytes: 1 + random(600) };
	}
}

function faultOf(fault: Fault, random: Random, tickets: Tickets): Action {
	switch (fault) {
		case 'now':
		case 'after_scan':
		case 'after_on': {
			const delayMs = draw(random, [
				[1, 0],
				[1, random(10)],
				[1, random(50)],
			]);
			const downMs = draw(random, [
				[3, random(200)],
				[1, 1_500],
			]);
			return { kind: 'kill', moment: fault, ticket: tickets.fresh(), delayMs, downMs };
		}
		case 'term':
			return { kind: fault, downMs: random(300) };
		case 'scanner':
		case 'relay':
			return { kind: 'pull', device: fault, ms: 50 + random(2_000) };
		case 'freeze':
			return { kind: fault, ms: 20 + random(1_980) };
		case 'full_disk':
			return { kind: fault, ms: 500 + random(2_000), ticket: tickets.fresh() };
		case 'no_power':
			return { kind: fault, ms: 50 + random(3_000) };
		case 'fire':
			return { kind: fault, ms: 500 + random(2_000) };
	}
}

function visitorOf(random: Random): Visitor {
	const kind = draw<Visitor['kind']>(random, [
		[70, 'pass'],
		[12, 'turn_back'],
		[8, 'late'],
		[6, 'tailgate'],
		[4, 'climb'],
	]);
	return { kind, afterMs: 20 + random(400) };
}
