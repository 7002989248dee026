import { formatTicketNumber } from '../../gate-agent/core/check-digit.ts';
import type { Order } from '../../sync/server/store.ts';
import { withOffice } from './office-client.ts';
import type { SessionOptions } from './office-options.ts';
import { facts, jsonLine, type Terminal } from './output.ts';

/** The options of `order show`. */
export interface OrderShowOptions extends SessionOptions {
	readonly order: string;
}

/** The options of `range lease`. */
export interface LeaseOptions extends SessionOptions {
	readonly event: string;
	readonly count: number;
	readonly holder: string;
}

/** Shows an order. */
export async function showOrder({ order, profile, json }: OrderShowOptions, terminal: Terminal): Promise<void> {
	await withOffice(profile, terminal, async (office) => {
		const answer = await office.call({ method: 'GET', path: `/orders/${encodeURIComponent(order)}` });
		if (json) return terminal.out.write(jsonLine(answer));
		// The server's answer has this form.
		const { evt, cls, from, count, use, status, claims } = answer as unknown as Order;
		const last = from + count - 1;
		await terminal.out.write(
			facts(terminal.out, [
				['order', order],
				['status', status],
				['tickets', `${count} of class ${cls}${use > 1 ? `, ${use} admissions each` : ''}`],
				['numbers', `${evt}/${from}${count > 1 ? ` to ${last}` : ''}`],
				['to type', `${formatTicketNumber(from)}${count > 1 ? ` to ${formatTicketNumber(last)}` : ''}`],
				['say', JSON.stringify(claims)],
			]),
		);
	});
}

/** Leases ticket numbers to an issuer that works offline. */
export async function leaseRange(options: LeaseOptions, terminal: Terminal): Promise<void> {
	const { event, count, holder, profile, json } = options;
	await withOffice(profile, terminal, async (office) => {
		const answer = await office.call({ method: 'POST', path: '/ranges', body: { evt: event, count, holder } });
		const { from, to } = answer;
		const text = `${event}/${from} to ${to} are for ${holder}; this server never issues them\n`;
		const next = `keys lease --event ${event} --from ${from} --to ${to} --key FILE --dir DIR`;
		await terminal.out.write(json ? jsonLine({ evt: event, holder, from, to }) : text);
		await terminal.err.write(`note: before a million more are sold, where the root key is: stileward ${next}\n`);
	});
}
