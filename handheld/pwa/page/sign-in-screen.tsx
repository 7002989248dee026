import { useSignal } from '@preact/signals';
import type { HandheldState, StaffProblem } from '../engine/handheld.ts';
import type { Desk } from './desk.ts';
import { LanguageButton } from './language-button.tsx';
import { PinPad } from './pin-pad.tsx';
import { lockedFor, problemText } from './sentences.ts';
import { StatusBar } from './status-bar.tsx';
import { UpdateOffer } from './update-offer.tsx';
import { words } from './words.ts';

interface SignInProps {
	readonly desk: Desk;
	readonly state: HandheldState & { kind: 'signed_out' };
}

/** Who works? Names known here as buttons, then the PIN. */
export function SignInScreen({ desk, state }: SignInProps) {
	/** `''` is somebody else, whose name is typed. */
	const chosen = useSignal<string | undefined>(state.known.length === 0 ? '' : undefined);
	return (
		<div class="app">
			<StatusBar desk={desk} link={state.link} />
			<main class="page">
				<h1>{desk.say(words.sign_in)}</h1>
				<UpdateOffer desk={desk} />
				{chosen.value === undefined ? (
					<Names desk={desk} known={state.known} choose={(name) => (chosen.value = name)} />
				) : (
					<PinForm desk={desk} name={chosen.value} back={() => (chosen.value = undefined)} />
				)}
			</main>
		</div>
	);
}

interface NamesProps {
	readonly desk: Desk;
	readonly known: readonly string[];
	readonly choose: (name: string) => void;
}

function Names({ desk, known, choose }: NamesProps) {
	return (
		<section class="names thumb" aria-label={desk.say(words.who)}>
			<p>{desk.say(words.who)}</p>
			{known.map((name) => (
				<button key={name} type="button" class="name" onClick={() => choose(name)}>
					{name}
				</button>
			))}
			<button type="button" onClick={() => choose('')}>
				{desk.say(words.another_name)}
			</button>
			<LanguageButton desk={desk} />
		</section>
	);
}

interface PinFormProps {
	readonly desk: Desk;
	readonly name: string;
	readonly back: () => void;
}

function PinForm({ desk, name, back }: PinFormProps) {
	const typedName = useSignal(name);
	const pin = useSignal('');
	const problem = useSignal<StaffProblem | undefined>(undefined);
	const busy = useSignal(false);
	const lockedMs = problem.value?.why === 'locked' ? problem.value.untilMs - desk.nowMs.value : 0;
	const submit = async (event: Event) => {
		event.preventDefault();
		busy.value = true;
		const done = await desk.parts.handheld.signIn(typedName.value.trim(), pin.value);
		busy.value = false;
		pin.value = '';
		problem.value = done.kind === 'not_done' ? done.problem : undefined;
	};
	const isReady = typedName.value.trim() !== '' && pin.value !== '' && lockedMs <= 0 && !busy.value;
	return (
		<form class="thumb" onSubmit={(event) => void submit(event)}>
			{name === '' ? (
				<label>
					{desk.say(words.staff_name)}
					<input
						autocomplete="off"
						autocapitalize="none"
						value={typedName.value}
						onInput={(event) => (typedName.value = event.currentTarget.value)}
					/>
				</label>
			) : (
				<h2>{name}</h2>
			)}
			<p class="problem" role="alert">
				{problem.value !== undefined && desk.say(lockedMs > 0 ? lockedFor(lockedMs) : unlocked(problem.value, desk))}
			</p>
			<PinPad desk={desk} pin={pin} />
			<div class="row">
				<button type="button" onClick={back}>
					{desk.say(words.back)}
				</button>
				<button type="submit" class="main" disabled={!isReady}>
					{desk.say(words.sign_in)}
				</button>
			</div>
		</form>
	);
}

/** Once the lock is over, what led to it is what there is to say. */
function unlocked(problem: StaffProblem, desk: Desk) {
	return problemText(problem.why === 'locked' ? { why: 'wrong_pin' } : problem, desk.nowMs.value);
}
