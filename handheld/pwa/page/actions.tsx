import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { Shown, Verdict } from '../engine/handheld.ts';
import type { Desk } from './desk.ts';
import { enterNow } from './sentences.ts';
import { Stepper } from './stepper.tsx';
import { words } from './words.ts';

/** What the thumb can do now. */
export function Actions({ desk }: { readonly desk: Desk }) {
	const showing = desk.showing.value;
	if (showing.kind === 'verdict') return <VerdictActions key={showing.id} desk={desk} verdict={showing.verdict} />;
	if (showing.kind === 'looked') return <NextActions desk={desk} shown={showing.looked.shown} />;
	return <ReadyActions desk={desk} />;
}

function ReadyActions({ desk }: { readonly desk: Desk }) {
	const toggleLook = () => {
		desk.looking.value = !desk.looking.value;
		desk.clear();
	};
	return (
		<nav class="actions">
			<button type="button" onClick={() => (desk.sheet.value = { kind: 'menu' })}>
				{desk.say(words.menu)}
			</button>
			<button type="button" onClick={() => (desk.sheet.value = { kind: 'without_ticket' })}>
				{desk.say(words.without_ticket)}
			</button>
			<button type="button" aria-pressed={desk.looking.value} onClick={toggleLook}>
				{desk.say(desk.looking.value ? words.look_end : words.look)}
			</button>
		</nav>
	);
}

function VerdictActions({ desk, verdict }: { readonly desk: Desk; readonly verdict: Verdict }) {
	if (verdict.kind === 'ask') return <AskActions desk={desk} verdict={verdict} />;
	const ask = verdict.kind === 'refused' ? verdict.override : undefined;
	return (
		<NextActions desk={desk} shown={verdict.shown}>
			{ask !== undefined && (
				<button type="button" onClick={() => (desk.sheet.value = { kind: 'override', ask })}>
					{desk.say(words.override)}
				</button>
			)}
		</NextActions>
	);
}

interface NextProps {
	readonly desk: Desk;
	readonly shown: Shown | undefined;
	readonly children?: ComponentChildren;
}

function NextActions({ desk, shown, children }: NextProps) {
	return (
		<nav class="actions">
			{shown && (
				<button type="button" onClick={() => (desk.sheet.value = { kind: 'history', ticket: shown })}>
					{desk.say(words.history)}
				</button>
			)}
			{children}
			<button type="button" class="main" onClick={() => desk.clear()}>
				{desk.say(words.next)}
			</button>
		</nav>
	);
}

interface AskProps {
	readonly desk: Desk;
	readonly verdict: Verdict & { kind: 'ask' };
}

/** A question: nothing was redeemed yet. */
function AskActions({ desk, verdict: { ask, left, why, shown } }: AskProps) {
	const people = useSignal(why === 'count' ? left : 1);
	const busy = useSignal(false);
	const admit = async () => {
		busy.value = true;
		await desk.admit(ask, people.value);
	};
	return (
		<>
			{why === 'count' && (
				<div class="group">
					<p>{desk.say(words.how_many)}</p>
					<Stepper desk={desk} count={people} max={left} />
				</div>
			)}
			<nav class="actions">
				<button type="button" onClick={() => (desk.sheet.value = { kind: 'history', ticket: shown })}>
					{desk.say(words.history)}
				</button>
				<button type="button" onClick={() => desk.clear()}>
					{desk.say(words.no)}
				</button>
				<button type="button" class="main" disabled={busy.value} onClick={() => void admit()}>
					{desk.say(why === 'count' ? enterNow(people.value, left) : words.yes)}
				</button>
			</nav>
		</>
	);
}
