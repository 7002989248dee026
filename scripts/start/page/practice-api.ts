import type { LaneRows, OrderSample, PracticeAction, PracticeState, ServerState } from './practice-wire.ts';

/** How an action ended. `stale`: the page belongs to an earlier run of the server. */
export type ActionResult = 'done' | 'unplugged' | 'not_refunded' | 'stale' | 'gone' | 'failed';

/** Sends what a person did. Never rejects. */
export async function sendAction(action: PracticeAction): Promise<ActionResult> {
	const secret = document.querySelector<HTMLMetaElement>('meta[name=practice-secret]')?.content ?? '';
	try {
		const answer = await fetch('/actions', {
			method: 'POST',
			headers: { 'content-type': 'application/json', 'x-practice-secret': secret },
			body: JSON.stringify(action),
		});
		if (answer.ok) return 'done';
		if (answer.status === 403) return 'stale';
		const { code } = (await answer.json().catch(() => ({}))) as { code?: unknown };
		if (code === 'order_closed') return 'not_refunded';
		return code === 'device_lost' ? 'unplugged' : 'failed';
	} catch {
		return 'gone';
	}
}

/** Puts the code of a ticket on the clipboard. Never rejects. */
export async function copyTicket(sample: OrderSample): Promise<ActionResult> {
	try {
		const answer = await fetch(`/tickets/${sample}.txt`);
		if (!answer.ok) return 'failed';
		await navigator.clipboard.writeText(await answer.text());
		return 'done';
	} catch {
		return 'failed';
	}
}

/** Whom the practice tells. */
export interface PracticeListener {
	readonly onState: (state: PracticeState) => void;
	readonly onServer: (server: ServerState) => void;
	readonly onRows: (rows: LaneRows) => void;
	/** The server went away, or came back. */
	readonly onGone: (gone: boolean) => void;
}

/** Listens to the practice; the browser reconnects by itself as long as the server answers. */
export function listenToPractice(listener: PracticeListener): void {
	const source = new EventSource('/events');
	const on = <Data>(event: string, handle: (data: Data) => void) =>
		// Our own server wrote it.
		source.addEventListener(event, (message: MessageEvent<string>) => handle(JSON.parse(message.data) as Data));
	on('state', listener.onState);
	on('server', listener.onServer);
	on('rows', listener.onRows);
	source.addEventListener('open', () => listener.onGone(false));
	source.addEventListener('error', () => listener.onGone(true));
}
