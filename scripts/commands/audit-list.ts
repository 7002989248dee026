import type { AuditRow } from '../../sync/server/office/office.ts';
import { withOffice } from './office-client.ts';
import type { SessionOptions } from './office-options.ts';
import { jsonLine, type Terminal, table } from './output.ts';
import { localTime } from './times.ts';

/** The options of `audit list`. */
export interface AuditOptions extends SessionOptions {
	readonly limit: number;
}

/** Lists what operators did, the newest first. */
export async function listAudit({ limit, profile, json }: AuditOptions, terminal: Terminal): Promise<void> {
	await withOffice(profile, terminal, async (office) => {
		const answer = await office.call({ method: 'GET', path: '/audit' });
		// The server's answer has this form.
		const rows = (answer.rows as readonly AuditRow[]).slice(0, limit);
		const cells = rows.map(({ atMs, operator, act, subject, request }) => {
			return [localTime(Math.floor(atMs / 1000)), operator, act, subject, request];
		});
		const text = table([['AT', 'OPERATOR', 'ACT', 'SUBJECT', 'REQUEST'], ...cells]);
		await terminal.out.write(json ? rows.map(jsonLine).join('') : text);
	});
}
