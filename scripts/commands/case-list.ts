import { StilewardError } from '../../gate-agent/core/errors.ts';
import type { Case } from '../../sync/server/store.ts';
import { readDevices } from './device-names.ts';
import { type OfficeClient, withOffice } from './office-client.ts';
import type { SessionOptions } from './office-options.ts';
import { facts, jsonLine, type Terminal, table } from './output.ts';
import { localTime } from './times.ts';

/** The options of `case show`. */
export interface CaseOptions extends SessionOptions {
	readonly id: string;
}

/** The options of `case close`. */
export interface CaseCloseOptions extends CaseOptions {
	readonly text: string;
}

const header = ['OPENED', 'KIND', 'TICKET', 'OVER', 'OUTCOME', 'CASE'];

/** Lists cases. */
export async function listCases({ profile, json }: SessionOptions, terminal: Terminal): Promise<void> {
	await withOffice(profile, terminal, async (office) => {
		const cases = await readCases(office);
		await terminal.out.write(json ? cases.map(jsonLine).join('') : table([header, ...cases.map(cellsOf)]));
	});
}

/** Shows one case with everything that is known of it. */
export async function showCase({ id, profile, json }: CaseOptions, terminal: Terminal): Promise<void> {
	await withOffice(profile, terminal, async (office) => {
		const found = (await readCases(office)).find((each) => each.id === id);
		if (found === undefined) throw new StilewardError('case_unknown', `there is no case ${id}`);
		if (json) return terminal.out.write(jsonLine(found));
		const names = new Map((await readDevices(office)).map(({ device, name }) => [device, name]));
		await terminal.out.write(textOf(found, names, terminal));
	});
}

/** Says what was found out about a case. */
export async function closeCase({ id, text, profile, json }: CaseCloseOptions, terminal: Terminal): Promise<void> {
	await withOffice(profile, terminal, async (office) => {
		await office.call({ method: 'POST', path: `/cases/${encodeURIComponent(id)}/close`, body: { text } });
		await terminal.out.write(json ? jsonLine({ id, text }) : `${id} is closed\n`);
	});
}

async function readCases(office: OfficeClient): Promise<readonly Case[]> {
	const { cases } = await office.call({ method: 'GET', path: '/cases' });
	// The server's answer has this form.
	return cases as readonly Case[];
}

function cellsOf({ id, kind, evt, idx, over, openedMs, outcome }: Case): string[] {
	return [
		at(openedMs),
		kind,
		evt === undefined ? '' : `${evt}/${idx}`,
		over === undefined ? '' : `${over} too many`,
		outcome === undefined ? 'open' : outcome.text,
		id,
	];
}

function textOf(found: Case, names: ReadonlyMap<string, string>, { out }: Terminal): string {
	const { id, kind, evt, idx, allowance, over, device, openedMs, cause, outcome, redemptions } = found;
	const about = facts(out, [
		['case', id],
		['kind', kind],
		['ticket', evt && `${evt}/${idx}, ${allowance}`],
		['too many', over === undefined ? undefined : String(over)],
		['device', device && (names.get(device) ?? device)],
		['opened', at(openedMs)],
		['likely cause', causes[cause]],
		['outcome', outcome ? `${outcome.text} (${outcome.by}, ${at(outcome.atMs)})` : 'open'],
	]);
	if (redemptions.length === 0) return about;
	const rows = redemptions.map(({ redemption, device: by, lane, rung, atMs, taken }, place) => {
		return [
			place === 0 ? 'first' : String(place + 1),
			at(atMs),
			names.get(by) ?? by,
			lane,
			rung,
			String(taken),
			redemption,
		];
	});
	return `${about}\n${table([['', 'AT', 'DEVICE', 'LANE', 'RUNG', 'PASSED', 'REDEMPTION'], ...rows])}`;
}

const causes: Readonly<Record<Case['cause'], string>> = {
	out_of_reach: 'a lane admitted on its own word while the authority was out of reach',
	staff_override: 'staff let somebody in by hand',
	claim_released: 'a claim was given back though its visitor entered',
	not_told: 'the gate had not heard of the refund when it admitted',
	key_copied: 'two devices write with one key',
	disk_restored: 'an old disk of the device was put back',
};

function at(ms: number): string {
	return localTime(Math.floor(ms / 1000));
}
