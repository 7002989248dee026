import { createOperators } from '../../sync/server/office/operators.ts';
import { openOffice } from '../../sync/server/start.ts';
import { jsonLine, type Terminal } from './output.ts';
import { readPassword } from './password.ts';

/** The options of `server operator`. */
export interface OperatorOptions {
	readonly data: string;
	readonly name: string;
	readonly role: 'administrator';
	readonly venue: string;
	readonly store?: string;
	readonly json?: true;
}

/** Makes an operator in a server's data, also while the server runs. */
export async function putOperator(options: OperatorOptions, terminal: Terminal): Promise<void> {
	const { data, name, role, venue, store, json } = options;
	const password = await readPassword(terminal);
	const office = await openOffice({ dir: data, ...(store !== undefined && { store }) });
	try {
		const atMs = terminal.nowMs();
		await office.addAudit({ venue, atMs, operator: name, act: 'operator.put', subject: name, request: 'local' });
		await createOperators({ office, nowMs: terminal.nowMs }).put({ venue, name, role, password });
	} finally {
		await office.close();
	}
	await terminal.out.write(json ? jsonLine({ name, role, venue }) : `${name} may sign in as ${role}\n`);
}
