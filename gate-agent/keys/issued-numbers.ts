import { StilewardError } from '../core/errors.ts';
import { ticketIdxMax } from '../core/ticket.ts';
import { withFolderLock } from './folder-lock.ts';
import { keyFiles, publicMode, readKeyJson, replaceKeyFile } from './key-files.ts';

/** The highest `idx` issued for each event. */
export type Issued = Readonly<Record<string, number>>;

/** Numbers to reserve: the next `count` of an event, or exactly those from `firstIdx` on. */
export interface Reservation {
	readonly evt: string;
	readonly count: number;
	readonly firstIdx?: number;
}

/** The number that the next ticket of an event gets. Another process may take it: `rememberIssued` reserves. */
export async function nextIdx(dir: string, evt: string): Promise<number> {
	return highestOf(await readIssued(dir), evt) + 1;
}

/**
 * Reserves `count` numbers of an event and gives the first of them, durably and before any ticket is signed: a crash
 * wastes numbers and never issues one twice. With `firstIdx` exactly these numbers are taken, also where they were
 * issued before. Throws `ticket_invalid` where no numbers are left, `keys_invalid` for a damaged record.
 */
export async function rememberIssued(dir: string, { evt, count, firstIdx }: Reservation): Promise<number> {
	if (!Number.isSafeInteger(count) || count < 1) {
		throw new StilewardError('ticket_invalid', 'the number of tickets must be an integer of at least 1');
	}
	return withFolderLock(dir, async () => {
		const issued = await readIssued(dir);
		const highest = highestOf(issued, evt);
		const first = firstIdx ?? highest + 1;
		const last = first + count - 1;
		if (!Number.isSafeInteger(first) || first < 0 || last > ticketIdxMax) {
			throw new StilewardError('ticket_invalid', `claim \`idx\` must lie between 0 and ${ticketIdxMax}`);
		}
		if (last > highest) await writeIssued(dir, { ...issued, [evt]: last });
		return first;
	});
}

/** The highest number issued of any event, -1 where none was. */
export async function highestIssued(dir: string): Promise<number> {
	return Math.max(-1, ...Object.values(await readIssued(dir)));
}

/** An event may be called `constructor`: only the record's own members count. */
function highestOf(issued: Issued, evt: string): number {
	return (Object.hasOwn(issued, evt) ? issued[evt] : undefined) ?? -1;
}

async function readIssued(dir: string): Promise<Issued> {
	const issued = await readKeyJson(dir, keyFiles.issued);
	const numbers = Object.values(issued);
	if (!numbers.every((idx) => Number.isInteger(idx) && Number(idx) >= 0 && Number(idx) <= ticketIdxMax)) {
		throw new StilewardError('keys_invalid', `${keyFiles.issued} must hold one idx per event`);
	}
	// Every member was just checked.
	return issued as Issued;
}

function writeIssued(dir: string, issued: Issued): Promise<void> {
	const text = `${JSON.stringify(issued, undefined, '\t')}\n`;
	return replaceKeyFile(dir, { file: keyFiles.issued, text, mode: publicMode });
}
