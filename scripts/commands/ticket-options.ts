import type { GivenTime } from './times.ts';

/** How issued tickets are printed. */
export const ticketFormats = ['compact', 'jws', 'json', 'csv', 'qr', 'svg', 'png'] as const;

/** @see ticketFormats */
export type TicketFormat = (typeof ticketFormats)[number];

/** The most tickets that one command issues. */
export const issueCountMax = 1_000_000;

/** The options of `ticket issue` as the command line gives them. */
export interface IssueOptions {
	readonly keys: string;
	readonly event: string;
	readonly class: string;
	readonly count: number;
	readonly from?: GivenTime;
	readonly until?: GivenTime;
	readonly session?: string;
	readonly use?: number;
	readonly zone?: readonly string[];
	readonly home?: string;
	readonly seat?: string;
	readonly firstIdx?: number;
	readonly format: TicketFormat;
	readonly out?: string;
}
