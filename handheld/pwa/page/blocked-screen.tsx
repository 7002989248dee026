import type { HandheldState } from '../engine/handheld.ts';
import type { Desk } from './desk.ts';
import { Mark } from './symbols.tsx';
import { type Text, words } from './words.ts';

type Why = (HandheldState & { kind: 'blocked' })['why'];

const causes: Readonly<Record<Why, readonly [title: Text, advice: Text]>> = {
	other_tab: [words.other_tab, words.other_tab_advice],
	no_storage: [words.no_storage, words.no_storage_advice],
	no_crypto: [words.no_crypto, words.no_crypto_advice],
	ledger_corrupt: [words.ledger_corrupt, words.ledger_corrupt_advice],
};

/** Says why the handheld cannot work here, and what would help. */
export function BlockedScreen({ desk, why }: { readonly desk: Desk; readonly why: Why }) {
	const [title, advice] = causes[why];
	return (
		<main class="page centered">
			<Mark symbol="barrier" tone="stop" />
			<h1>{desk.say(title)}</h1>
			<p>{desk.say(advice)}</p>
			{why === 'other_tab' && (
				<button type="button" class="main" onClick={() => void desk.parts.handheld.takeOver()}>
					{desk.say(words.take_over)}
				</button>
			)}
		</main>
	);
}
