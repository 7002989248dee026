import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type IssuerKey, issueTicket } from '../core/issue.ts';
import type { TicketClaims } from '../core/ticket-claims.ts';
import { emulateLcus } from '../emulators/lcus-emulator.ts';
import { openPty, type Pty } from '../emulators/pty.ts';
import type { CoilEdge } from '../emulators/relay-board.ts';
import { createTurnstile, type Turnstile, turnstileContacts } from '../emulators/turnstile.ts';
import { emulateWaveshare } from '../emulators/waveshare-emulator.ts';
import { initKeys, loadIssuer, rotateKeys } from '../keys/key-folder.ts';
import { exampleConfig, temporaryFolder } from './gate.suite.ts';
import { badKinds, goodKinds, type TicketKind, type TicketRef } from './nemesis-plan.suite.ts';

/** A lane on a bench, seen from its far end. */
export interface World {
	readonly config: string;
	readonly sets: readonly string[];
	readonly data: string;
	readonly pulseMs: number;
	readonly latePassageMs: number;
	/** Whether a turnstile with contacts stands behind the board. */
	readonly sensor: boolean;
	readonly scanner: Pty;
	readonly relay: Pty;
	/** Every edge of every coil since the beginning, wall clock. */
	readonly edges: CoilEdge[];
	/** Told of each closing of the lane's coil, at once. */
	readonly onClosing: Set<() => void>;
	/** Told when the turnstile opens for one visitor. */
	readonly onOpen: Set<() => void>;
	readonly turnstile: Turnstile | undefined;
	setPower(on: boolean): void;
	/** Pulls the plug of the board's line, as far as the board is fed by it also its current. */
	unplugRelay(): Promise<void>;
	codeOf(ticket: TicketRef): string;
	/** A good ticket that no plan presents. */
	spare(nth: number): string;
	/** Good ticket ids and how often each may be used. */
	readonly uses: ReadonlyMap<string, number>;
	/** Fills the disk of the ledger, or gives the space back. Undefined where no small file system can be mounted. */
	readonly fillDisk: ((full: boolean) => void) | undefined;
}

const usesOf: Readonly<Record<string, number>> = { single: 1, three: 3, group: 4, annual: 1 };
const event = 'lantern-2026';
/** Room for a ledger of a night; filled up within milliseconds. */
const diskBytes = 16 * 1024 * 1024;
/** The turnstile stays open for longer than the lane waits, so that some pass late. */
const latePassageMs = 1_500;
/** Tickets that a plan leaves alone. */
const spares = 8;

/** Sets up keys, tickets, ptys and boards. `board` names the scenario. */
export async function setUpWorld(
	board: 'waveshare' | 'lcus',
	tickets: Readonly<Record<TicketKind, number>>,
): Promise<World> {
	const dir = temporaryFolder();
	const [keys, data] = [join(dir, 'keys'), join(dir, 'data')];
	const issued = await issueAll(keys, tickets);
	mkdirSync(data);
	const fillDisk = mountSmall(data);
	const [scanner, relay] = await Promise.all([openPty(), openPty()]);
	onTestFinished(async () => {
		await Promise.all([scanner.close(), relay.close()]);
	});
	const far = farEnd();
	const isWaveshare = board === 'waveshare';
	const wired = isWaveshare ? wireWaveshare(relay, far) : wireLcus(relay, far);
	const paths = { scanner: scanner.path, relay: relay.path, ...(isWaveshare && { inputs: relay.path }) };
	return {
		config: exampleConfig(isWaveshare ? 'waveshare-turnstile' : 'serial-lcus'),
		sets: [
			`keys=${keys}`,
			`data=${data}`,
			...Object.entries(paths).map(([device, path]) => `lanes.0.${device}.path=${path}`),
			'lanes.0.passageTimeoutMs=1500',
			`lanes.0.latePassageMs=${latePassageMs}`,
			'lanes.0.groupIdleMs=1500',
			'lanes.0.holdOffMs=500',
			'classes.group.group=run',
			'classes.annual.allowance=day',
			'venue.dayStartsAt=00:00',
		],
		data,
		pulseMs: 300,
		latePassageMs,
		sensor: isWaveshare,
		scanner,
		relay,
		...far,
		...wired,
		...issued,
		fillDisk,
	};
}

interface FarEnd extends Pick<World, 'edges' | 'onClosing' | 'onOpen'> {
	readonly heard: (channel: number, closed: boolean) => void;
}

function farEnd(): FarEnd {
	const [onClosing, onOpen] = [new Set<() => void>(), new Set<() => void>()];
	const edges: CoilEdge[] = [];
	const heard = (channel: number, closed: boolean) => {
		if (channel > 2) return;
		edges.push({ atMs: Date.now(), channel, closed });
		if (closed) for (const tell of onClosing) tell();
	};
	return { edges, onClosing, onOpen, heard };
}

type Wired = Pick<World, 'turnstile' | 'setPower' | 'unplugRelay'>;

/** The board's contacts at rest: the tamper switch conducts. */
const tamperChannel = 4;

function wireWaveshare(pty: Pty, { heard, onOpen }: FarEnd): Wired {
	const board = emulateWaveshare(pty, {
		nowMs: Date.now,
		onCoil(channel, closed) {
			heard(channel, closed);
			if (channel <= 2) turnstile.coil(channel === 1 ? 'entry' : 'exit', closed);
		},
	});
	board.setInput(tamperChannel, true);
	// The order of the example's wiring: passage, reverse, fire, tamper, staff button, emergency reset.
	const channels = { passage: 1, reverse: 2, fire: 3, tamper: tamperChannel, staff_button: 5, emergency_reset: 6 };
	const turnstile = createTurnstile({
		schedule(ms, callback) {
			const timer = setTimeout(callback, ms);
			return () => clearTimeout(timer);
		},
		passageWindowMs: 2_000,
		onContact: (contact, active) => board.setInput(channels[contact], active !== (contact === 'tamper')),
		onLock(direction, open) {
			if (direction === 'entry' && open) for (const tell of onOpen) tell();
		},
	});
	if (turnstileContacts.length !== Object.keys(channels).length) throw new Error('a contact is not wired');
	return { turnstile, setPower: board.setPower, unplugRelay: board.unplug };
}

function wireLcus(pty: Pty, { heard }: FarEnd): Wired {
	const board = emulateLcus(pty, { nowMs: Date.now, onCoil: heard });
	return { turnstile: undefined, setPower: () => undefined, unplugRelay: board.unplug };
}

/** Signs all tickets that a plan needs, the bad ones with the wrong key, the wrong time or a wrong bit. */
async function issueAll(keys: string, tickets: Readonly<Record<TicketKind, number>>) {
	const nowMs = Date.now();
	const revoked = await initKeys({ dir: keys, evt: event, nowMs });
	const revokedKey = (await loadIssuer(keys)).keyFor(event, 0);
	const { kid } = await rotateKeys({ dir: keys, nowMs, revoke: [revoked.kid] });
	const strangers = `${keys}-of-others`;
	await initKeys({ dir: strangers, evt: event, nowMs });
	const strangeKey = (await loadIssuer(strangers)).keyFor(event, 0);
	const goodKey = (await loadIssuer(keys)).keyFor(event, 1);
	if (goodKey.kid !== kid) throw new Error('the new key signs');

	const uses = new Map<string, number>();
	const codes = new Map<string, string>();
	let idx = 0;
	const sign = (kind: string, key: IssuerKey, claims: Partial<TicketClaims> = {}) => {
		idx += 1;
		const hourS = 3_600;
		const nowS = Math.floor(nowMs / 1_000);
		const cls = kind === 'group' || kind === 'annual' ? kind : 'adult';
		const use = usesOf[kind] ?? 1;
		const base = { evt: event, idx, cls, nbf: nowS - hourS, exp: nowS + 24 * hourS, ...(use > 1 && { use }) };
		return issueTicket({ ...base, ...claims }, key, 'compact');
	};
	const good = async (kind: string, name: string) => {
		codes.set(name, await sign(kind, goodKey));
		uses.set(`${event}/${idx}`, usesOf[kind] ?? 1);
	};
	for (const kind of goodKinds) for (let nth = 0; nth < tickets[kind]; nth += 1) await good(kind, `${kind} ${nth}`);
	for (let nth = 0; nth < spares; nth += 1) await good('single', `spare ${nth}`);
	const bad = {
		forged: async () => spoil(await sign('forged', goodKey)),
		expired: () => sign('expired', goodKey, { exp: Math.floor(nowMs / 1_000) - 60 }),
		revoked_key: () => sign('revoked_key', revokedKey, { idx: 0 }),
		unknown_key: () => sign('unknown_key', strangeKey),
	};
	for (const kind of badKinds) {
		for (let nth = 0; nth < tickets[kind]; nth += 1) codes.set(`${kind} ${nth}`, await bad[kind]());
	}
	const codeOf = (name: string) => {
		const code = codes.get(name);
		if (code === undefined) throw new Error(`there is no ticket ${name}`);
		return code;
	};
	return {
		uses,
		codeOf: ({ kind, nth }: TicketRef) => codeOf(`${kind} ${nth}`),
		spare: (nth: number) => codeOf(`spare ${nth}`),
	};
}

/** Changes the last but third character: another signature in the same form. */
function spoil(code: string): string {
	const at = code.length - 3;
	return code.slice(0, at) + (code[at] === '0' ? '1' : '0') + code.slice(at + 1);
}

/** A small file system for the ledger; undefined where this user may not mount one. */
function mountSmall(path: string): World['fillDisk'] {
	const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', path]);
	if (mounted.status !== 0) {
		console.warn('NEMESIS WITHOUT A FULL DISK: this user may not mount a small file system. Run it as root.');
		return undefined;
	}
	onTestFinished(() => {
		spawnSync('umount', ['--lazy', path]);
	});
	const filler = join(path, 'filler');
	return (full) => {
		rmSync(filler, { force: true });
		if (full) fill(filler);
	};
}

function fill(file: string): void {
	for (let bytes = diskBytes; bytes >= 1_024; bytes = Math.floor(bytes / 2)) {
		try {
			for (;;) writeFileSync(file, Buffer.alloc(bytes), { flag: 'a' });
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
		}
	}
}
