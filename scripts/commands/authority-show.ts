import { withOffice } from './office-client.ts';
import type { SessionOptions } from './office-options.ts';
import { jsonLine, type Terminal, table } from './output.ts';
import { localTime } from './times.ts';

/** The options of `authority set`. */
export interface AuthorityOptions extends SessionOptions {
	readonly server: string;
	readonly abandon?: true;
}

/** Who grants, as the server tells it. */
interface Shown {
	readonly now: {
		readonly epoch: number;
		readonly server: string;
		readonly admissions: number;
		readonly here: boolean;
		readonly behind?: string;
	};
	readonly next?: { readonly epoch: number; readonly server: string };
	readonly hubs: readonly {
		readonly server: string;
		readonly lastSeenMs?: number;
		readonly report?: {
			readonly grants: boolean;
			readonly head: { readonly epoch: number; readonly admissions: number };
			readonly waiting: { readonly segments: number; readonly entries: number };
		};
	}[];
}

/** Shows which server grants. */
export async function showAuthority({ profile, json }: SessionOptions, terminal: Terminal): Promise<void> {
	await withOffice(profile, terminal, async (office) => {
		// The server's answer has this form.
		const shown = (await office.call({ method: 'GET', path: '/authority' })) as unknown as Shown;
		await terminal.out.write(json ? jsonLine(shown) : textOf(shown));
	});
}

/** Moves the authority. */
export async function setAuthority(options: AuthorityOptions, terminal: Terminal): Promise<void> {
	const { server, abandon, profile, json } = options;
	await withOffice(profile, terminal, async (office) => {
		const body = { server, ...(abandon && { abandon }) };
		// The server's answer has this form.
		const shown = (await office.call({ method: 'POST', path: '/authority', body })) as unknown as Shown;
		await terminal.out.write(json ? jsonLine(shown) : textOf(shown));
	});
}

function textOf({ now, next, hubs }: Shown): string {
	const granting = hubs.find((hub) => hub.server === now.server)?.report;
	const isGranting = now.here || (granting?.grants === true && granting.head.epoch === now.epoch);
	const state = isGranting ? 'grants' : 'does not grant yet';
	const lines = [`${now.server} ${state} in epoch ${now.epoch}, ${now.admissions} entries of its log are here\n`];
	if (now.behind !== undefined) lines.push(`this server has less than somebody has seen (${now.behind})\n`);
	if (next) lines.push(`${next.server} is to grant in epoch ${next.epoch}, once ${now.server} has passed on its log\n`);
	if (hubs.length === 0) return lines.join('');
	const rows = hubs.map(({ server, lastSeenMs, report }) => [
		server,
		report?.grants ? `grants in ${report.head.epoch}` : 'follows',
		lastSeenMs === undefined ? 'never' : localTime(Math.floor(lastSeenMs / 1000)),
		report === undefined ? '' : `${report.waiting.segments} segments, ${report.waiting.entries} entries`,
	]);
	return `${lines.join('')}${table([['HUB', 'STATE', 'LAST SEEN', 'WAITS HERE'], ...rows])}`;
}
