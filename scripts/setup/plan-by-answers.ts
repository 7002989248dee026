import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkDeviceSettings } from '../../gate-agent/config.ts';
import type { Problem } from '../../gate-agent/config-source.ts';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { modelNames, readModel } from '../../gate-agent/device-models.ts';
import { type EnrollmentLink, readEnrollmentLink } from '../../sync/protocol/enrollment-link.ts';
import { type Answers, type ReadAnswers, refuseProblems } from './answers.ts';
import { describeScan } from './describe-scan.ts';
import { asSets } from './device-part.ts';
import type { FoundDevice } from './find-devices.ts';
import type { GatePart } from './gate-file.ts';
import { type GatePlan, inputsOn, type Joining, pulseMsDefault, type Tried } from './gate-plan.ts';
import { openScanner } from './open-scanner.ts';
import { pulseOnce } from './try-relay.ts';

/** What a plan by answers needs. */
export interface Answering {
	readonly read: ReadAnswers;
	readonly found: readonly FoundDevice[];
	readonly hostName: string;
	/** The venue that the data folder belongs to already. */
	readonly venue?: string;
	/** The configuration that is there already. */
	readonly existing?: string;
	/** Ends a test scan that is waited for. */
	readonly signal: AbortSignal;
}

/**
 * Plans a gate by answers that were given beforehand. Nothing is asked: what is missing is named, all of it at once, before
 * anything is tried. Throws `answers_invalid`; rejects with `device_*`.
 */
export async function planByAnswers(answering: Answering): Promise<GatePlan> {
	const { read, found, hostName } = answering;
	const { answers, file } = read;
	refuseProblems(file, read.problems);
	const relay = partFor({ slot: 'relay', given: answers.relay, found });
	const scanner = partFor({
		slot: 'scanner',
		given: answers.scanner,
		found,
		...('settings' in relay && { taken: relay.settings.path }),
	});
	const joining = joiningOf(answering);
	const problems = [relay, scanner, joining, existingProblem(answering)].flatMap((each) =>
		each !== undefined && 'problem' in each ? [each.problem] : [],
	);
	refuseProblems(file, problems);
	// No problem was left.
	const parts = { scanner: scanner as GatePart, relay: relay as GatePart };
	const inputs = inputsPart(answers, parts.relay);
	const channel = Number(parts.relay.settings.channel ?? 1);
	const pulseMs = Number(parts.relay.settings.pulseMs ?? pulseMsDefault);
	return {
		...{ agent: answers.name ?? hostName, mode: answers.mode, scanner: parts.scanner },
		relay: { ...parts.relay, settings: { ...parts.relay.settings, channel, pulseMs } },
		...(inputs && { inputs }),
		...(answers.feedback && { feedback: answers.feedback }),
		joining: joining as Joining,
		tried: await tryDevices(answering, parts, { channel, pulseMs }),
	};
}

type Refused = { readonly problem: Problem };

interface Wanted {
	readonly slot: 'scanner' | 'relay';
	/** What the answers say of it. */
	readonly given: Answers['scanner'];
	readonly found: readonly FoundDevice[];
	/** The path of a device that is something else already. */
	readonly taken?: unknown;
}

function partFor({ slot, given, found, taken }: Wanted): GatePart | Refused {
	if (given !== undefined) return checkedPart(slot, given);
	const fitting = found.filter((each) => each.slot === slot && (taken === undefined || each.settings.path !== taken));
	const sure = fitting.filter(({ isSure }) => isSure);
	const [only, ...others] = sure.length > 0 ? sure : fitting;
	if (only !== undefined && others.length === 0) return only;
	const could =
		fitting.length === 0
			? 'nothing that is plugged in could be it'
			: `${fitting.length} devices could be it (${fitting.map(({ label }) => label).join('; ')})`;
	return { problem: { path: slot, message: 'is missing', fix: `${could}: name its model and path` } };
}

function checkedPart(slot: 'scanner' | 'relay', given: NonNullable<Answers['scanner']>): GatePart | Refused {
	try {
		checkDeviceSettings(slot, { set: asSets(given) });
	} catch (error) {
		if (!(error instanceof StilewardError)) throw error;
		return {
			problem: {
				path: slot,
				message: `is wrong (${error.message.split('\n').slice(1).join('; ').trim()})`,
				fix: 'correct it',
			},
		};
	}
	const kind = slot === 'relay' ? 'relays' : 'scanners';
	const name = typeof given.model === 'string' && modelNames(kind).includes(given.model) ? given.model : undefined;
	return { settings: given, ...(name !== undefined && { model: readModel(kind, name) }) };
}

/** Contacts on the relay's own board need not repeat its port. */
function inputsPart({ inputs }: Answers, relay: GatePart): Readonly<Record<string, unknown>> | undefined {
	if (inputs === undefined || inputs.driver !== undefined) return inputs;
	// Whatever it is, the configuration's own check judges it.
	return inputsOn(relay, (inputs.contacts ?? {}) as Readonly<Record<string, unknown>>) ?? inputs;
}

function joiningOf({ read: { answers }, venue }: Answering): Joining | Refused {
	const { enrollment, keys, replaceEnrollment } = answers;
	if (venue !== undefined && !(enrollment && replaceEnrollment)) return { kind: 'enrolled', venue };
	if (enrollment !== undefined) {
		const link = linkOf(enrollment);
		const fix = 'paste the text of the QR code as it is';
		return link
			? { kind: 'enroll', link, replace: venue !== undefined }
			: { problem: { path: 'enrollment.link', message: 'is no enrollment code', fix } };
	}
	if (keys !== undefined) return { kind: 'keys', dir: resolve(keys.dir), event: keys.event };
	return {
		problem: {
			path: 'enrollment',
			message: 'is missing',
			fix: 'add `enrollment` with a code, or `keys` for a gate without a server',
		},
	};
}

function linkOf(enrollment: NonNullable<Answers['enrollment']>): EnrollmentLink | undefined {
	if ('link' in enrollment) return readEnrollmentLink(enrollment.link);
	const { server: url, fingerprint, code } = enrollment;
	return { url, fingerprint, code };
}

function existingProblem({ read: { answers }, existing }: Answering): Refused | undefined {
	if (existing === undefined || answers.replaceConfig) return undefined;
	const fix = 'set it to true (the old file is kept), or name another file with --config';
	return { problem: { path: 'replaceConfig', message: `is missing, and ${existing} exists`, fix } };
}

async function tryDevices(
	{ read: { answers }, signal }: Answering,
	parts: Pick<GatePlan, 'scanner' | 'relay'>,
	pulse: { readonly channel: number; readonly pulseMs: number },
): Promise<Tried> {
	const scanner = await openScanner(parts.scanner.settings);
	try {
		const waits = answers.scanSeconds > 0;
		const scan = waits
			? await Promise.race([scanner.next(), sleep(answers.scanSeconds * 1000, undefined, { signal })])
			: undefined;
		return {
			scanner: scanner.told,
			...(scan && { scan: describeScan(scan) }),
			...(answers.pulse && { pulse: await pulseOnce(parts.relay.settings, pulse) }),
		};
	} finally {
		await scanner.close();
	}
}
