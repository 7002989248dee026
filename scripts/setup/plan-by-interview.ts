import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Language } from '../../gate-agent/checks/finding.ts';
import { readModels } from '../../gate-agent/device-models.ts';
import { keyFiles } from '../../gate-agent/keys/key-files.ts';
import { type EnrollmentLink, readEnrollmentLink } from '../../sync/protocol/enrollment-link.ts';
import { describeScan } from './describe-scan.ts';
import { askPort, type FoundDevice } from './find-devices.ts';
import type { GatePart } from './gate-file.ts';
import { contactBusOf, type GatePlan, inputsOn, type Joining, pulseMsDefault, type Tried } from './gate-plan.ts';
import type { Interview } from './interview.ts';
import { type OpenScanner, openScanner } from './open-scanner.ts';
import { fillIn, setupWords } from './setup-words.ts';
import { pulseOnce } from './try-relay.ts';
import { type ContactWatch, watchContacts } from './watch-contacts.ts';

/** What an interview needs. */
export interface Interviewing {
	readonly interview: Interview;
	readonly language: Language;
	readonly found: readonly FoundDevice[];
	readonly hostName: string;
	/** The venue that the data folder belongs to already. */
	readonly venue?: string;
}

type Words = Readonly<Record<keyof (typeof setupWords)['zh'], string>>;

interface Asking extends Interviewing {
	readonly words: Words;
}

/** Plans a gate with whoever stands by it: each device is tried while it is chosen. Rejects with `setup_ended` and `device_*`. */
export async function planByInterview(interviewing: Interviewing): Promise<GatePlan> {
	const asking: Asking = { ...interviewing, words: setupWords[interviewing.language] };
	const agent = await askName(asking);
	const relay = await chooseRelay(asking);
	const scanner = await chooseScanner(asking, relay);
	const { part, opened, scan, link } = await tryScanner(asking, scanner);
	try {
		const pulsed = await tryRelay(asking, relay);
		const contacts = await findContacts(asking, relay);
		const joining = await chooseJoining(asking, opened, link);
		const inputs = inputsOn(relay, partOf(contacts));
		const tried: Tried = { scanner: opened.told, ...(scan !== undefined && { scan }), ...pulsed.tried, contacts };
		const settings = { ...relay.settings, channel: pulsed.channel, pulseMs: pulseMsDefault };
		return {
			agent,
			mode: 'entry',
			scanner: part,
			relay: { ...relay, settings },
			...(inputs && { inputs }),
			joining,
			tried,
		};
	} finally {
		await opened.close();
	}
}

async function askName({ interview, words, hostName }: Asking): Promise<string> {
	for (;;) {
		const name = (await interview.ask(words.name, hostName)).toLowerCase();
		if (/^[a-z0-9][a-z0-9_-]{0,31}$/.test(name)) return name;
		interview.say(words.badName);
	}
}

async function chooseRelay({ interview, words, found }: Asking): Promise<GatePart> {
	const boards = found.filter(({ slot }) => slot === 'relay');
	const [only, ...others] = boards;
	if (only !== undefined && others.length === 0) {
		interview.say(`${words.foundRelay} ${only.label}`);
		return only;
	}
	const choices = boards.map((board) => ({ label: board.label, value: board as FoundDevice | undefined }));
	const chosen =
		boards.length === 0
			? undefined
			: await interview.choose(words.whichRelay, [...choices, { label: words.otherPath, value: undefined }]);
	return chosen ?? (await typedRelay({ interview, words }));
}

async function typedRelay({ interview, words }: Pick<Asking, 'interview' | 'words'>): Promise<GatePart> {
	const path = await interview.ask(words.path);
	const answered = await askPort(path);
	if (answered?.slot === 'relay') {
		interview.say(`${words.foundRelay} ${answered.label}`);
		return answered;
	}
	// What does not answer is a board that cannot.
	const silent = readModels('relays').filter(({ driver }) => driver === 'serial-lcus');
	const models = silent.map((model) => ({ label: `${model.title} (${model.name})`, value: model }));
	const model = models.length === 1 ? silent[0] : await interview.choose(words.whichModel, models);
	return model ? { settings: { model: model.name, path }, model } : { settings: { path } };
}

async function chooseScanner({ interview, words, found }: Asking, relay: GatePart): Promise<GatePart> {
	const others = found.filter(({ slot, settings }) => slot === 'scanner' && settings.path !== relay.settings.path);
	const sure = others.filter(({ isSure }) => isSure);
	const [only, ...more] = sure.length > 0 ? sure : others;
	if (only !== undefined && more.length === 0) {
		interview.say(`${words.foundScanner} ${only.label}`);
		return only;
	}
	const choices = others.map((each) => ({ label: each.label, value: each as FoundDevice | undefined }));
	const chosen =
		others.length === 0
			? undefined
			: await interview.choose(words.whichScanner, [...choices, { label: words.otherPath, value: undefined }]);
	if (chosen) return chosen;
	const path = await interview.ask(words.path);
	const answered = await askPort(path);
	if (answered?.slot === 'scanner') return answered;
	const model = readModels('scanners').find(({ name }) => name === 'serial-generic');
	return { settings: { model: 'serial-generic', path }, ...(model && { model }) };
}

/** Speeds of serial scanners that cannot be asked, in the order in which they are tried. */
const scannerBaudRates = [9600, 115_200];

interface TriedScanner {
	readonly part: GatePart;
	readonly opened: OpenScanner;
	readonly scan?: string;
	readonly link?: EnrollmentLink;
}

/** Opens the scanner and waits for a code; one that comes as noise comes again at another speed. */
async function tryScanner(asking: Asking, scanner: GatePart): Promise<TriedScanner> {
	const isSilent = scanner.model?.driver === 'serial-line';
	const [first = 9600, ...others] = scannerBaudRates;
	let tried = await trySpeed(asking, scanner);
	for (const baudRate of isSilent ? others.filter((each) => each !== first) : []) {
		if (!tried.isNoise) break;
		await tried.opened.close();
		asking.interview.say(`${asking.words.unreadable} ${baudRate}`);
		tried = await trySpeed(asking, { ...scanner, settings: { ...scanner.settings, baudRate } });
	}
	return tried;
}

async function trySpeed(
	{ interview, words, language }: Asking,
	part: GatePart,
): Promise<TriedScanner & { readonly isNoise?: true }> {
	const opened = await openScanner(part.settings);
	try {
		const { differing } = opened.told;
		if (Array.isArray(differing) && differing.length > 0)
			interview.say(`${words.scannerSetUp} ${differing.join(', ')}`);
		const answer = await interview.act(words.scan, opened.next());
		if (!('acted' in answer)) return { part, opened };
		const scan = describeScan(answer.acted, language);
		interview.say(`${words.scanned} ${scan}`);
		if (answer.acted.kind === 'unreadable') return { part, opened, scan, isNoise: true };
		const link = readEnrollmentLink(answer.acted.text);
		return { part, opened, scan, ...(link && { link }) };
	} catch (error) {
		// Whoever ends it here must find the port free.
		await opened.close();
		throw error;
	}
}

/** Pulses until the gate opens, or nobody wants to try another channel. */
async function tryRelay(
	{ interview, words }: Asking,
	relay: GatePart,
): Promise<{ readonly channel: number; readonly tried: Pick<Tried, 'pulse' | 'opened'> }> {
	interview.say(words.relayWarning);
	let channel = Number(relay.settings.channel ?? 1);
	const skips = await interview.act(words.pulse, new Promise<never>(() => {}));
	if ('typed' in skips && /^(s|skip|跳过)/i.test(skips.typed)) return { channel, tried: {} };
	for (;;) {
		const pulse = await pulseOnce(relay.settings, { channel, pulseMs: pulseMsDefault });
		interview.say(pulse.confirmed === undefined ? words.noReadBack : words.readBack);
		const opened = await interview.confirm(words.opened);
		if (opened || pulse.channels === 1) return { channel, tried: { pulse, opened } };
		const other = await interview.act(
			fillIn(words.otherChannel, { channels: pulse.channels }),
			new Promise<never>(() => {}),
		);
		const next = 'typed' in other ? Number(other.typed) : Number.NaN;
		if (!Number.isInteger(next) || next < 1 || next > pulse.channels) return { channel, tried: { pulse, opened } };
		channel = next;
	}
}

type FoundContacts = NonNullable<Tried['contacts']>;

/** How long somebody may take to put a contact back. */
const restoreMs = 60_000;

/** Learns which input is which by what moves when somebody walks through, or works the alarm. */
async function findContacts(asking: Asking, relay: GatePart): Promise<FoundContacts> {
	const { interview, words } = asking;
	const bus = contactBusOf(relay);
	if (bus === undefined) return {};
	const { path, baudRate, address, count } = bus;
	const watch = await watchContacts({ bus: { path, baudRate }, address, count });
	try {
		const found: Record<string, FoundContacts[string]> = {};
		for (const role of ['passage', 'fire'] as const) {
			const channel = await workedInput(asking, watch, { role, taken: found.passage?.channel });
			if (channel === undefined) continue;
			// An alarm's contact is closed at rest so that a broken wire alarms: then its active level is "open".
			const invert = watch.rest[channel - 1] === true;
			found[role] = { channel, invert };
			interview.say(fillIn(words.contactFound, { channel, kind: invert ? words.closing : words.opening }));
		}
		return found;
	} finally {
		await watch.close();
	}
}

/** The input that somebody works for a role, once it is at rest again; undefined where he says that there is none. */
async function workedInput(
	{ interview, words }: Asking,
	watch: ContactWatch,
	{ role, taken }: { readonly role: 'passage' | 'fire'; readonly taken: number | undefined },
): Promise<number | undefined> {
	for (;;) {
		const answer = await interview.act(words[role], watch.next());
		if (!('acted' in answer)) return undefined;
		const { channel } = answer.acted;
		if (channel === taken) interview.say(words.sameContact);
		else interview.say(words.restore);
		await watch.settled(restoreMs);
		if (channel !== taken) return channel;
	}
}

function partOf(contacts: FoundContacts): Readonly<Record<string, unknown>> {
	return Object.fromEntries(
		Object.entries(contacts).map(([role, { channel, invert }]) => [role, { channel, ...(invert && { invert }) }]),
	);
}

async function chooseJoining(
	{ interview, words, venue }: Asking,
	scanner: OpenScanner,
	scanned: EnrollmentLink | undefined,
): Promise<Joining> {
	if (scanned) return { kind: 'enroll', link: scanned, replace: venue !== undefined };
	if (venue !== undefined) {
		interview.say(`${words.alreadyEnrolled} ${venue}`);
		return { kind: 'enrolled', venue };
	}
	for (;;) {
		const answer = await interview.act(words.enroll, scanner.next());
		const text = 'typed' in answer ? answer.typed : answer.acted.kind === 'code' ? answer.acted.text : '';
		const link = readEnrollmentLink(text);
		if (link) return { kind: 'enroll', link, replace: false };
		const dir = resolve(text || '.');
		if (text !== '' && existsSync(join(dir, keyFiles.manifest)))
			return { kind: 'keys', dir, event: await interview.ask(words.event) };
		interview.say(words.notEnrollment);
	}
}
