import type { Logger } from '../../gate-agent/logger.ts';
import { formatHandheldLink, handheldPath } from '../../sync/protocol/enrollment-link.ts';
import type { Device } from '../../sync/server/store.ts';
import type { HandheldState } from './page/practice-wire.ts';
import { openDoorSomewhere } from './practice-door.ts';
import { openLink, type PracticeLink } from './practice-link.ts';
import type { PracticeOffice } from './practice-office.ts';
import { ensureStaff, type PracticeStaff } from './practice-staff.ts';
import type { TicketServer } from './practice-ticket-server.ts';
import type { Closers } from './practice-venue.ts';

/** The handheld of the practice: a page in another window of this browser. */
export interface PracticeHandheld {
	readonly staff: PracticeStaff;
	/** Where the page is. */
	readonly address: string;
	readonly link: PracticeLink;
	state(): HandheldState;
	/** Asks the server whether the code is spent, and makes another. */
	look(): Promise<void>;
}

/** What the handheld is opened with. */
export interface HandheldOptions {
	readonly dir: string;
	readonly office: PracticeOffice;
	readonly server: TicketServer;
	readonly closers: Closers;
	readonly log: Logger;
	/** Port of its door; 0 takes a free one. */
	readonly doorPort?: number;
	/** The folder of its page, once that is built; absent where nobody builds it. */
	readonly builtHandheld?: Promise<string>;
	readonly onChange: () => void;
}

/** The name of the device at the server: who spends a code takes the place of the last one. */
const deviceName = 'handheld';

const codeMinutes = 24 * 60;

/** A code that is about to expire is not shown. */
const codeRestMs = 3_600_000;

/** Opens the door of the handheld and makes its staff. */
export async function openHandheld(options: HandheldOptions): Promise<PracticeHandheld> {
	const { office, server, closers, log, dir, doorPort = 0 } = options;
	const { fingerprint } = server;
	const link = await openLink(Number(new URL(server.url).port));
	closers.push(link.close);
	const door = await openDoorSomewhere({ port: doorPort, url: link.url, fingerprint, log });
	closers.push(door.close);
	const staff = await ensureStaff(office, dir);
	const codes = createCodes(office);
	await codes.look();
	const page = followPage(options);
	const open = () => formatHandheldLink({ url: door.url, fingerprint, code: codes.code() });
	const address = `${door.url}${handheldPath}`;
	return {
		staff,
		address,
		link,
		state: () => ({ page: page(), open: open(), cut: link.isCut(), enrolled: codes.isSpent(), pins: staff.pins }),
		look: codes.look,
	};
}

/** Tells the server of the page once it is built. */
function followPage({ builtHandheld, server, log, onChange }: HandheldOptions): () => HandheldState['page'] {
	let page: HandheldState['page'] = builtHandheld === undefined ? 'failed' : 'building';
	const built = async (folder: Promise<string>) => {
		try {
			await server.showHandheld(await folder);
			page = 'ready';
		} catch (error) {
			log.error({ event: 'handheld_not_built', err: error });
			page = 'failed';
		}
		onChange();
	};
	if (builtHandheld !== undefined) void built(builtHandheld);
	return () => page;
}

interface Code {
	readonly code: string;
	readonly expiresMs: number;
	/** Who had the name when the code was made. */
	readonly before: string | undefined;
}

/** Keeps a code that a browser may spend; one that has spent its own stays enrolled. */
function createCodes(office: PracticeOffice) {
	let current: Code | undefined;
	let holder: string | undefined;
	const look = async () => {
		holder = await holderOf(office);
		const isGood = current !== undefined && current.before === holder && current.expiresMs - Date.now() > codeRestMs;
		if (isGood) return;
		const body = { name: deviceName, minutes: codeMinutes, replace: true };
		const made = await office.call({ method: 'POST', path: '/codes', body });
		current = { code: String(made.code), expiresMs: Number(made.expiresMs), before: holder };
	};
	return { look, code: () => current?.code ?? '', isSpent: () => holder !== undefined };
}

async function holderOf(office: PracticeOffice): Promise<string | undefined> {
	// The server's answer has this form.
	const { devices } = (await office.call({ method: 'GET', path: '/devices' })) as { devices: readonly Device[] };
	return devices.find(({ name, status }) => name === deviceName && status === 'active')?.device;
}
