import type { OpenClaim } from '../../sync/server/store.ts';
import { findDevice, readDevices } from './device-names.ts';
import { type OfficeClient, withOffice } from './office-client.ts';
import type { SessionOptions } from './office-options.ts';
import { jsonLine, type Terminal, table } from './output.ts';
import { localTime } from './times.ts';

/** The options of `claim list`. */
export interface ClaimListOptions extends SessionOptions {
	readonly device?: string;
}

/** The options of `claim release`. */
export interface ClaimReleaseOptions extends SessionOptions {
	readonly device: string;
	readonly redemption?: readonly string[];
	readonly force?: true;
}

const header = ['DEVICE', 'SINCE', 'TICKET', 'ALLOWANCE', 'USES', 'LANE', 'REDEMPTION'];

/** Lists claims that hold uses, of one device or of all. */
export async function listClaims({ device, profile, json }: ClaimListOptions, terminal: Terminal): Promise<void> {
	await withOffice(profile, terminal, async (office) => {
		const devices = await readDevices(office);
		const rows: string[][] = [];
		for (const { device: id, name } of device === undefined ? devices : [findDevice(devices, device)]) {
			for (const claim of await readClaims(office, id)) {
				if (json) await terminal.out.write(jsonLine({ device: id, name, ...claim }));
				else rows.push(cellsOf(name, claim));
			}
		}
		if (!json) await terminal.out.write(rows.length > 0 ? table([header, ...rows]) : 'no claim is open\n');
	});
}

/** Gives back what a dead device holds. */
export async function releaseClaims(options: ClaimReleaseOptions, terminal: Terminal): Promise<void> {
	const { device: named, redemption, force, profile, json } = options;
	await withOffice(profile, terminal, async (office) => {
		const { device, name } = findDevice(await readDevices(office), named);
		const body = { ...(redemption && { redemptions: redemption }), ...(force && { force }) };
		const answer = await office.call({ method: 'POST', path: `/devices/${device}/claims/release`, body });
		// The server's answer has this form.
		const released = answer.released as readonly string[];
		const text = `${released.length} claims of ${name} are given back; those tickets may enter again\n`;
		await terminal.out.write(json ? jsonLine({ device, name, released }) : text);
	});
}

async function readClaims(office: OfficeClient, device: string): Promise<readonly OpenClaim[]> {
	const { claims } = await office.call({ method: 'GET', path: `/devices/${device}/claims` });
	// The server's answer has this form.
	return claims as readonly OpenClaim[];
}

function cellsOf(name: string, { atMs, evt, idx, allowance, uses, lane, redemption }: OpenClaim): string[] {
	const since = localTime(Math.floor(atMs / 1000));
	return [name, since, `${evt}/${idx}`, allowance, uses === 0 ? 're-entry' : String(uses), lane, redemption];
}
