import type { Desk, Sheet } from './desk.ts';
import { SheetFrame } from './sheet-frame.tsx';
import { UpdateOffer } from './update-offer.tsx';
import { type Text, words } from './words.ts';

type Entry = Exclude<Sheet['kind'], 'menu' | 'history' | 'override'>;

const entries: readonly (readonly [Entry, Text])[] = [
	['without_ticket', words.without_ticket],
	['typed', words.typed],
	['orders', words.orders],
	['lanes', words.lanes],
	['post', words.post],
	['settings', words.settings],
];

/** All that is needed more seldom than a scan. */
export function MenuSheet({ desk }: { readonly desk: Desk }) {
	return (
		<SheetFrame desk={desk} title={words.menu}>
			<UpdateOffer desk={desk} />
			<div class="list">
				{entries.map(([kind, text]) => (
					<button key={kind} type="button" data-entry={kind} onClick={() => (desk.sheet.value = { kind })}>
						{desk.say(text)}
					</button>
				))}
				<button type="button" data-entry="sign_out" onClick={() => void desk.parts.handheld.signOut()}>
					{desk.say(words.sign_out)}
				</button>
			</div>
		</SheetFrame>
	);
}
