import { useSignal } from '@preact/signals';
import { formatTicketNumber } from '../../../gate-agent/core/check-digit.ts';
import type { OrderTicket } from '../engine/handheld.ts';
import type { Desk } from './desk.ts';
import { classText, problemText } from './sentences.ts';
import { Problem, SheetFrame } from './sheet-frame.tsx';
import { type Text, words } from './words.ts';

/** Finds the tickets of an order at the server. */
export function OrderSheet({ desk }: { readonly desk: Desk }) {
	const number = useSignal('');
	const tickets = useSignal<readonly OrderTicket[] | undefined>(undefined);
	const problem = useSignal<Text | undefined>(undefined);
	const submit = async (event: Event) => {
		event.preventDefault();
		const found = await desk.parts.handheld.findOrder(number.value.trim());
		tickets.value = found.kind === 'done' ? found.value : undefined;
		problem.value = found.kind === 'done' ? undefined : problemText(found.problem, desk.nowMs.value);
	};
	return (
		<SheetFrame desk={desk} title={words.orders}>
			{tickets.value?.length === 0 && <p>{desk.say(words.no_tickets)}</p>}
			<ul class="uses">
				{tickets.value?.map((ticket) => (
					<TicketLine key={`${ticket.evt}/${ticket.idx}`} desk={desk} ticket={ticket} />
				))}
			</ul>
			<form onSubmit={(event) => void submit(event)}>
				<label>
					{desk.say(words.order_number)}
					<input
						autocomplete="off"
						value={number.value}
						onInput={(event) => (number.value = event.currentTarget.value)}
					/>
				</label>
				<Problem desk={desk} text={problem.value} />
				<button type="submit" class="main" disabled={number.value.trim() === ''}>
					{desk.say(words.find)}
				</button>
			</form>
		</SheetFrame>
	);
}

function TicketLine({ desk, ticket }: { readonly desk: Desk; readonly ticket: OrderTicket }) {
	return (
		<li>
			<b>
				{desk.say(classText(ticket.cls))} · {formatTicketNumber(ticket.idx)}
			</b>
			<span>
				{ticket.used} / {ticket.use}
				{ticket.revoked && ` · ${desk.say(words.revoked)}`}
			</span>
			<button type="button" onClick={() => (desk.sheet.value = { kind: 'history', ticket })}>
				{desk.say(words.history)}
			</button>
		</li>
	);
}
