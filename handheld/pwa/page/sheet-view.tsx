import type { HandheldState } from '../engine/handheld.ts';
import type { Desk } from './desk.ts';
import { HistorySheet } from './history-sheet.tsx';
import { LanesSheet } from './lanes-sheet.tsx';
import { MenuSheet } from './menu-sheet.tsx';
import { OrderSheet } from './order-sheet.tsx';
import { OverrideSheet } from './override-sheet.tsx';
import { PostSheet } from './post-sheet.tsx';
import { SettingsSheet } from './settings-sheet.tsx';
import { TypedSheet } from './typed-sheet.tsx';
import { WithoutTicketSheet } from './without-ticket-sheet.tsx';

/** What every sheet is given. */
export interface SheetProps {
	readonly desk: Desk;
	readonly state: HandheldState & { kind: 'working' };
}

/** The sheet that is open, if one is. */
export function SheetView({ desk, state }: SheetProps) {
	const sheet = desk.sheet.value;
	switch (sheet?.kind) {
		case undefined:
			return null;
		case 'menu':
			return <MenuSheet desk={desk} />;
		case 'without_ticket':
			return <WithoutTicketSheet desk={desk} state={state} />;
		case 'typed':
			return <TypedSheet desk={desk} state={state} />;
		case 'orders':
			return <OrderSheet desk={desk} />;
		case 'lanes':
			return <LanesSheet desk={desk} />;
		case 'post':
			return <PostSheet desk={desk} state={state} />;
		case 'settings':
			return <SettingsSheet desk={desk} />;
		case 'history':
			return <HistorySheet desk={desk} state={state} ticket={sheet.ticket} />;
		case 'override':
			return <OverrideSheet desk={desk} state={state} ask={sheet.ask} />;
	}
}
