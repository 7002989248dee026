import type { ComponentChildren } from 'preact';
import { formatTicketNumber } from '../../../gate-agent/core/check-digit.ts';
import type { ScreenText } from '../../../gate-agent/core/texts.ts';
import type { Looked, Shown, Verdict } from '../engine/handheld.ts';
import type { Desk } from './desk.ts';
import { classText, peopleAdmitted, usesLeft } from './sentences.ts';
import { staffWords } from './staff-words.ts';
import { rungWords } from './status-bar.tsx';
import { Mark } from './symbols.tsx';
import { type Text, words } from './words.ts';

/** One verdict, over the whole stage: symbol, what happened, what to do, and what the ticket is. */
export function VerdictView({ desk, verdict }: { readonly desk: Desk; readonly verdict: Verdict }) {
	const text = staffWords(verdict, desk.words(verdict.screen));
	return (
		<Face desk={desk} text={text}>
			{verdict.kind === 'granted' && <GrantFacts desk={desk} verdict={verdict} />}
			{verdict.kind === 'ask' && verdict.left > 1 && <li>{desk.say(usesLeft(verdict.left))}</li>}
			<TicketFacts desk={desk} shown={verdict.shown} />
		</Face>
	);
}

/** What a look told: never in the color of an admission, so that nobody waves the visitor through. */
export function LookedView({ desk, looked }: { readonly desk: Desk; readonly looked: Looked }) {
	const text = desk.words(looked.screen);
	const isAdmissible = looked.verdict === 'admissible';
	const zh = { title: words.admissible.zh, advice: words.not_redeemed.zh };
	const en = { title: words.admissible.en, advice: words.not_redeemed.en };
	const shownText: ScreenText = isAdmissible ? { tone: 'info', symbol: 'scan', zh, en } : { ...text, tone: 'info' };
	return (
		<>
			<p class="look-banner">{desk.say(words.looking)}</p>
			<Face desk={desk} text={shownText}>
				{isAdmissible && <li>{desk.say(usesLeft(looked.left))}</li>}
				<TicketFacts desk={desk} shown={looked.shown} />
			</Face>
		</>
	);
}

interface FaceProps {
	readonly desk: Desk;
	readonly text: ScreenText;
	readonly children: ComponentChildren;
}

function Face({ desk, text, children }: FaceProps) {
	const order = desk.settings.value.language === 'zh' ? (['zh', 'en'] as const) : (['en', 'zh'] as const);
	return (
		<section class={text.cue === undefined ? 'verdict' : 'verdict cued'} data-tone={text.tone}>
			<button type="button" class="tap" tabIndex={-1} aria-label={desk.say(words.close)} onClick={() => desk.clear()} />
			<Mark symbol={text.symbol} tone={text.tone} />
			<div class="words">
				{order.map((language, at) => (
					<div key={language} class={at === 0 ? 'chosen' : 'other'} lang={language === 'zh' ? 'zh-CN' : 'en'}>
						<h2>{text[language].title}</h2>
						<p>{text[language].advice}</p>
					</div>
				))}
				{text.seat !== undefined && (
					<p class="seat">
						<span>{desk.say(words.seat)}</span> <b>{text.seat}</b>
					</p>
				)}
				<ul class="facts">{children}</ul>
			</div>
		</section>
	);
}

interface GrantProps {
	readonly desk: Desk;
	readonly verdict: Verdict & { kind: 'granted' };
}

function GrantFacts({ desk, verdict }: GrantProps) {
	const { people, left, rung, screen } = verdict;
	const facts: readonly (Text | undefined)[] = [
		people > 1 ? peopleAdmitted(people) : undefined,
		left > 0 && screen.left === undefined ? usesLeft(left) : undefined,
		rung === 'authority' ? undefined : rungWords[rung],
	];
	return <>{facts.map((fact) => fact && <li key={fact.en}>{desk.say(fact)}</li>)}</>;
}

function TicketFacts({ desk, shown }: { readonly desk: Desk; readonly shown: Shown | undefined }) {
	if (shown === undefined) return null;
	return (
		<li>
			{desk.say(classText(shown.cls))} · {formatTicketNumber(shown.idx)}
		</li>
	);
}
