import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { formatTicketNumber } from '../../../gate-agent/core/check-digit.ts';
import type { Shown, TicketHistory, TicketUse } from '../engine/handheld.ts';
import type { Desk } from './desk.ts';
import { classText } from './sentences.ts';
import { SheetFrame } from './sheet-frame.tsx';
import type { SheetProps } from './sheet-view.tsx';
import { rungWords } from './status-bar.tsx';
import { overrideReasons, type Text, words } from './words.ts';

const outcomes: Readonly<Record<TicketUse['outcome'], Text>> = {
	open: words.use_open,
	taken: words.use_taken,
	not_taken: words.use_not_taken,
};

/** Where, when and by whom a ticket was used. */
export function HistorySheet({ desk, state, ticket }: SheetProps & { readonly ticket: Pick<Shown, 'evt' | 'idx'> }) {
	const found = useSignal<TicketHistory | undefined>(undefined);
	useEffect(() => {
		void desk.parts.handheld.history(ticket).then((history) => {
			found.value = history;
		});
	}, []);
	return (
		<SheetFrame desk={desk} title={words.history}>
			<p>
				{ticket.evt} · {formatTicketNumber(ticket.idx)}
			</p>
			{found.value === undefined ? (
				<p role="status">{desk.say(words.working)}</p>
			) : (
				<Known desk={desk} history={found.value} timeZone={state.link.timeZone} />
			)}
		</SheetFrame>
	);
}

interface KnownProps {
	readonly desk: Desk;
	readonly history: TicketHistory;
	readonly timeZone: string;
}

function Known({ desk, history, timeZone }: KnownProps) {
	return (
		<>
			{history.cls !== undefined && (
				<p>
					{desk.say(classText(history.cls))}
					{history.order !== undefined && ` · ${history.order}`}
				</p>
			)}
			{history.revoked && <p class="problem">{desk.say(words.revoked)}</p>}
			{!history.complete && <p class="warning">{desk.say(words.local_only)}</p>}
			{history.uses.length === 0 && <p>{desk.say(words.never_used)}</p>}
			<ol class="uses">
				{history.uses.map((use) => (
					<li key={`${use.device} ${use.atMs}`} data-outcome={use.outcome}>
						<b>{timeOf(use.atMs, timeZone, desk)}</b>
						<span>{use.lane === use.device ? use.device : `${use.lane} · ${use.device}`}</span>
						<span>
							{desk.say(outcomes[use.outcome])} · {desk.say(rungWords[use.rung])}
						</span>
						{use.by !== undefined && (
							<span>
								{use.by}
								{use.reason !== undefined && ` · ${reasonText(use.reason, desk)}`}
							</span>
						)}
					</li>
				))}
			</ol>
		</>
	);
}

function timeOf(atMs: number, timeZone: string, desk: Desk): string {
	const locale = desk.settings.value.language === 'zh' ? 'zh-CN' : 'en-US';
	const form = { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
	return new Intl.DateTimeFormat(locale, { timeZone, ...form }).format(atMs);
}

function reasonText(reason: string, desk: Desk): string {
	const known: Readonly<Record<string, Text>> = overrideReasons;
	const text = Object.hasOwn(known, reason) ? known[reason] : undefined;
	return text === undefined ? reason : desk.say(text);
}
