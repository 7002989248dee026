import type { Cue } from '../../../gate-agent/core/policy.ts';
import type { Ticket } from '../../../gate-agent/core/ticket.ts';
import { type AskId, askMs } from './handheld.ts';

/** What staff were asked, or what was refused and may be overridden. The code itself is not kept. */
export interface Question {
	readonly kind: 'admit' | 'override';
	readonly ticket: Ticket;
	/** No code was read. */
	readonly typed: boolean;
	readonly cue: Cue | undefined;
	/** Uses that were left when it was asked. */
	readonly left: number;
	/** How many wanted to enter, where staff had said so. */
	readonly people?: number;
}

/** Questions that wait for their answer. */
export interface Questions {
	ask(question: Question): AskId;
	/** The question, once; undefined where it is unknown, answered or too old. */
	answer(ask: AskId, kind: Question['kind']): Question | undefined;
}

/** Questions that are remembered; the oldest is forgotten first. */
const questionsMax = 32;

/** Makes an empty list. `monoMs` is monotonic. */
export function createQuestions(monoMs: () => number): Questions {
	const waiting = new Map<AskId, { readonly question: Question; readonly untilMs: number }>();
	let next = 1;
	return {
		ask: (question) => {
			const id = next;
			next += 1;
			waiting.set(id, { question, untilMs: monoMs() + askMs });
			const [oldest] = waiting.keys();
			if (waiting.size > questionsMax && oldest !== undefined) waiting.delete(oldest);
			return id;
		},
		answer: (ask, kind) => {
			const found = waiting.get(ask);
			if (found?.question.kind !== kind) return undefined;
			waiting.delete(ask);
			return monoMs() < found.untilMs ? found.question : undefined;
		},
	};
}
