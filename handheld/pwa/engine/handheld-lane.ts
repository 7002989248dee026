import type { Admitter, StaffWord } from '../../../gate-agent/core/admit.ts';
import type { Admissible, Checked, RedeemResult, Screen } from '../../../gate-agent/core/lane-state.ts';
import type { Ledger } from '../../../gate-agent/core/ledger.ts';
import { canOverride } from '../../../gate-agent/core/override.ts';
import type { Cue } from '../../../gate-agent/core/policy.ts';
import type { Direction, RedemptionId } from '../../../gate-agent/core/redemption.ts';
import type { Refusal } from '../../../gate-agent/core/refusal.ts';
import type { Ticket, TicketId } from '../../../gate-agent/core/ticket.ts';
import type { Tracer } from './foreign-trace.ts';
import type { AskId, Looked, Shown, Verdict } from './handheld.ts';
import type { OpenGrants } from './open-grants.ts';
import type { Question, Questions } from './questions.ts';
import type { Serial } from './serial.ts';

/** What the lane of a handheld needs. */
export interface HandheldLaneDeps {
	readonly admitter: Admitter;
	readonly ledger: Ledger;
	readonly grants: OpenGrants;
	readonly questions: Questions;
	readonly trace: Tracer;
	readonly serial: Serial;
	readonly lane: string;
	readonly nowMs: () => number;
	readonly direction: () => Direction;
}

/** What is held before the handheld: a code, or a number that staff have typed. */
export type Presented =
	| { readonly kind: 'code'; readonly text: string }
	| { readonly kind: 'typed'; readonly ticket: Ticket };

/** The lane of a handheld: one visitor after the other. Nothing here rejects for what a ledger does. */
export interface HandheldLane {
	/** Redeems where nothing is to be asked. `by` is who works with the handheld. */
	present(presented: Presented, by: string): Promise<Verdict>;
	look(text: string): Promise<Looked>;
	admit(ask: AskId, people: number, by: string): Promise<Verdict>;
	/** Undefined where the refusal is forgotten or too old. */
	override(ask: AskId, word: StaffWord): Promise<Verdict | undefined>;
	undo(redemptionId: RedemptionId, by: string): Promise<boolean>;
}

/** Makes the lane. */
export function createHandheldLane(deps: HandheldLaneDeps): HandheldLane {
	return {
		present: (presented, by) => deps.serial(() => present(deps, presented, by)),
		look: (text) => deps.serial(() => look(deps, text)),
		admit: (ask, people, by) => deps.serial(() => admit(deps, { ask, people, by })),
		override: (ask, word) => deps.serial(() => override(deps, ask, word)),
		undo: (redemptionId, by) => deps.serial(() => deps.grants.undo(redemptionId, by)),
	};
}

async function present(deps: HandheldLaneDeps, presented: Presented, by: string): Promise<Verdict> {
	const checked = await checkAfterEnd(deps, presented);
	if (checked.kind === 'refused') return refuse(deps, presented, checked);
	const { admissible } = checked;
	const question = questionOf(admissible, presented);
	const why = deps.direction() === 'exit' ? undefined : whyAsk(admissible, question);
	return why === undefined ? redeem(deps, question, { by }) : ask(deps, question, why);
}

/**
 * Whoever shows a ticket again whose grant is still open has somebody inside: the grant ends first, so that the answer says
 * where and when. Only a proven ticket ends anything.
 */
async function checkAfterEnd(
	{ admitter, grants, direction }: HandheldLaneDeps,
	presented: Presented,
): Promise<Checked> {
	const check = () =>
		presented.kind === 'code'
			? admitter.check(presented.text, direction())
			: admitter.consider(presented.ticket, direction());
	const first = await check();
	const ticket = first.kind === 'admissible' ? first.admissible.ticket : first.ticket;
	return ticket !== undefined && (await grants.endOf(ticket.id)) ? check() : first;
}

function questionOf({ ticket, decision, classPolicy }: Admissible, { kind }: Presented): Question {
	const left = decision.uses + decision.left;
	return { kind: 'admit', ticket, typed: kind === 'typed', cue: classPolicy.cue, left };
}

/** A re-entry is one person, whatever is left on the ticket. */
function whyAsk({ decision, classPolicy }: Admissible, { left }: Question): 'count' | 'confirm' | undefined {
	if (left > 1 && !decision.reentry) return 'count';
	return classPolicy.lane === 'confirm' ? 'confirm' : undefined;
}

function ask({ questions }: HandheldLaneDeps, question: Question, why: 'count' | 'confirm'): Verdict {
	const { ticket, cue, left } = question;
	const screen: Screen = { kind: 'wait_staff', cls: ticket.cls, ...seen(ticket, cue) };
	return { kind: 'ask', why, screen, shown: shownOf(ticket), ask: questions.ask(question), left: Math.max(1, left) };
}

async function redeem(deps: HandheldLaneDeps, question: Question, word: StaffWord): Promise<Verdict> {
	const { ticket, typed } = question;
	const result = await deps.admitter.redeem(ticket, deps.direction(), { ...word, ...(typed && { typed }) });
	return verdictOf(deps, { ...question, ...(word.people !== undefined && { people: word.people }) }, result);
}

interface Answer {
	readonly ask: AskId;
	readonly people: number;
	readonly by: string;
}

/** A question that is answered too late, or with no number of people, is not confirmed. */
async function admit(deps: HandheldLaneDeps, { ask: id, people, by }: Answer): Promise<Verdict> {
	const question = deps.questions.answer(id, 'admit');
	if (question === undefined || !Number.isInteger(people) || people < 1) {
		const refusal: Refusal = { reason: 'staff_needed', why: 'not_confirmed' };
		return {
			kind: 'refused',
			screen: { kind: 'refused', refusal },
			...(question && { shown: shownOf(question.ticket) }),
		};
	}
	return redeem(deps, question, { by, ...(question.left > 1 && { people }) });
}

async function override(deps: HandheldLaneDeps, ask: AskId, word: StaffWord): Promise<Verdict | undefined> {
	const question = deps.questions.answer(ask, 'override');
	if (question === undefined) return undefined;
	const { ticket, people } = question;
	const result = await deps.admitter.override(ticket, { ...word, ...(people !== undefined && { people }) });
	return verdictOf(deps, question, result);
}

async function verdictOf(deps: HandheldLaneDeps, question: Question, result: RedeemResult): Promise<Verdict> {
	const { ticket, cue } = question;
	const shown = shownOf(ticket);
	if (result.kind === 'refused') return refuseTicket(deps, question, result.refusal);
	if (result.kind === 'exited') {
		return { kind: 'exited', screen: { kind: 'granted', direction: 'exit', cls: ticket.cls }, shown };
	}
	const { grant, left } = result;
	const undo = deps.grants.keep(grant);
	const screen: Screen & { kind: 'granted' } = {
		kind: 'granted',
		direction: 'entry',
		cls: ticket.cls,
		...seen(ticket, cue),
		...(ticket.use > 1 && { left }),
	};
	return { kind: 'granted', screen, shown, rung: grant.rung, people: undo.people, left, undo };
}

/** What a check refused: a ticket that is proven may be overridden, anything else is only written down. */
async function refuse(
	deps: HandheldLaneDeps,
	presented: Presented,
	{ refusal, ticketId, ticket }: Checked & { kind: 'refused' },
): Promise<Verdict> {
	if (ticket !== undefined) {
		const question = { kind: 'admit', ticket, typed: presented.kind === 'typed', cue: undefined, left: 0 } as const;
		return refuseTicket(deps, question, refusal);
	}
	const code = ticketId === undefined && presented.kind === 'code' ? await deps.trace(presented.text) : undefined;
	deny(deps, { refusal, ticketId, code });
	return { kind: 'refused', screen: { kind: 'refused', refusal } };
}

function refuseTicket(deps: HandheldLaneDeps, question: Question, refusal: Refusal): Verdict {
	const { ticket } = question;
	deny(deps, { refusal, ticketId: ticket.id });
	const screen = { kind: 'refused', refusal, ...seen(ticket, undefined) } as const;
	const refused = { kind: 'refused', screen, shown: shownOf(ticket) } as const;
	if (!canOverride(refusal.reason) || deps.direction() === 'exit') return refused;
	return { ...refused, override: deps.questions.ask({ ...question, kind: 'override' }) };
}

interface Denied {
	readonly refusal: Refusal;
	readonly ticketId?: TicketId | undefined;
	readonly code?: Awaited<ReturnType<Tracer>> | undefined;
}

function deny({ ledger, lane, nowMs }: HandheldLaneDeps, { refusal, ticketId, code }: Denied): void {
	const about = { ...(ticketId !== undefined && { ticketId }), ...(code !== undefined && { code }) };
	ledger.deny({ reason: refusal.reason, lane, atMs: Math.trunc(nowMs()), ...about });
}

async function look({ admitter, direction }: HandheldLaneDeps, text: string): Promise<Looked> {
	const checked = await admitter.check(text, direction());
	if (checked.kind === 'refused') {
		const { refusal, ticket } = checked;
		const shown = ticket && { shown: shownOf(ticket) };
		return { verdict: 'refused', screen: { kind: 'refused', refusal }, left: 0, ...shown };
	}
	const { ticket, decision, classPolicy } = checked.admissible;
	const left = decision.uses + decision.left;
	const screen: Screen = {
		kind: 'granted',
		direction: direction(),
		cls: ticket.cls,
		...seen(ticket, classPolicy.cue),
		...(ticket.use > 1 && { left }),
	};
	return { verdict: 'admissible', screen, shown: shownOf(ticket), left };
}

function shownOf({ evt, idx, cls, seat }: Ticket): Shown {
	return { evt, idx, cls, ...(seat !== undefined && { seat }) };
}

function seen({ seat }: Ticket, cue: Cue | undefined) {
	return { ...(cue !== undefined && { cue }), ...(seat !== undefined && { seat }) };
}
