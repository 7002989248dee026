import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import Type from 'typebox';
import { Default, Errors } from 'typebox/value';
import { type DeviceSlot, deviceSlots, type GateFrame, gateFrameSchema, recordSchemas } from './config-schema.ts';
import { type ConfigSource, type Problem, parseConfig, problemsError } from './config-source.ts';
import { wiringProblems } from './config-wiring.ts';
import { type InputRole, inputRoles } from './core/device.ts';
import type { LaneConfig } from './core/lane-state.ts';
import type { ClassPolicy, Policy, SessionPolicy } from './core/policy.ts';
import { readTimeOfDay } from './core/venue-day.ts';
import { expandModels, withModel } from './device-models.ts';
import { type WantedUpdate, wantedUpdate } from './update/update-window.ts';

/** A device of a lane: its driver and the options that this driver has checked. */
export interface DeviceSettings {
	readonly driver: string;
	readonly options: Readonly<Record<string, unknown>>;
}

/** The relay of a lane: the board, and which of its channels open the lane for how long. */
export interface RelaySettings extends DeviceSettings {
	readonly channel: number;
	readonly exitChannel: number;
	readonly pulseMs: number;
}

/** One lane and its devices. */
export interface LaneSettings {
	readonly lane: LaneConfig;
	readonly scanner: DeviceSettings;
	readonly exitScanner?: DeviceSettings;
	/** Absent on a lane without a gate: a handheld, whose verdict alone lets a visitor in. */
	readonly relay?: RelaySettings;
	readonly inputs?: DeviceSettings;
	readonly feedback?: DeviceSettings;
}

/** A configuration that was checked to its last key. */
export interface GateConfig {
	readonly agent: string;
	/** Folder with the keys of a gate that stands alone. */
	readonly keysDir?: string;
	readonly dataDir: string;
	/** The rules of a gate that stands alone; one that is enrolled gets them from its server. */
	readonly policy?: Policy;
	/** IANA time zone of the venue. */
	readonly timeZone: string;
	/** How long a lane waits for the venue's authority. */
	readonly claimBudgetMs: number;
	/** How long a starting gate waits for its venue's server; without it the lanes go by policy. */
	readonly startWaitMs: number;
	readonly http: { readonly enabled: boolean; readonly host: string; readonly port: number };
	/** The version to run, and in which minutes of the venue's day it may be installed. */
	readonly update?: WantedUpdate;
	readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
	readonly lanes: readonly LaneSettings[];
}

/**
 * Reads, checks and freezes a gate's configuration. `sets` are `path.to.key=value`, values in YAML, applied over the
 * file. Throws `config_invalid` with all problems at once, each with its file, line, path and fix.
 */
export function loadConfig({ file, sets = [] }: { file: string; sets?: readonly string[] }): GateConfig {
	return checkConfig(readConfig({ file, sets }));
}

/** Reads and parses it, unchecked. Throws `config_invalid` where there is no such file, or no YAML in it. */
export function readConfig({ file, sets = [] }: { file: string; sets?: readonly string[] }): ConfigSource {
	return parseConfig(file, readText(file), sets);
}

/**
 * The part of a configuration that a gate needs where no server gives it keys and rules. Throws `config_invalid` with
 * what is missing.
 */
export function standaloneOf({ keysDir, policy }: GateConfig): { readonly keysDir: string; readonly policy: Policy } {
	if (keysDir !== undefined && policy !== undefined) return { keysDir, policy };
	const fix = 'add it, or make the gate a part of a venue with `stileward gate enroll`';
	const missing = [...(policy === undefined ? ['event'] : []), ...(keysDir === undefined ? ['keys'] : [])];
	throw problemsError(
		'configuration',
		missing.map((path) => ({ path, message: 'is missing, and the gate is not enrolled', fix })),
	);
}

function readText(file: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch (cause) {
		const code = (cause as NodeJS.ErrnoException).code;
		throw problemsError(file, [
			{ path: '', message: `cannot be read (${code})`, fix: 'check the path and its permissions' },
		]);
	}
}

/** Checks a parsed configuration. Throws `config_invalid` with all problems at once. */
export function checkConfig(source: ConfigSource): GateConfig {
	const { value: written, problems: modelProblems } = expandModels(source.value);
	const value = withDefaults(written);
	const problems = [...modelProblems, ...schemaProblems(gateFrameSchema, value, '')];
	const devices = deviceProblems(value);
	if (problems.length === 0) problems.push(...ruleProblems(value as GateFrame));
	problems.push(...devices);
	if (problems.length === 0) problems.push(...wiringProblems(value as GateFrame));
	if (problems.length > 0) throw problemsError(source.file, problems, source.lineOf);
	return deepFreeze(build(value as GateFrame));
}

/** TypeBox fills in the defaults of objects, but not of the entries of a record. */
function withDefaults(written: unknown): unknown {
	const value = Default(gateFrameSchema, structuredClone(written)) as Record<string, unknown>;
	for (const [key, schema] of Object.entries(recordSchemas)) {
		const entries = value[key];
		if (typeof entries !== 'object' || entries === null) continue;
		value[key] = Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, Default(schema, entry)]));
	}
	return value;
}

/** Turns the errors of a schema into problems, one per place, in words. */
function schemaProblems(schema: Type.TSchema, value: unknown, prefix: string): Problem[] {
	const problems: Problem[] = [];
	for (const error of Errors(schema, value)) {
		const path = prefix + error.instancePath.replaceAll('/', '.').replace(/^\./, prefix === '' ? '' : '.');
		if (error.keyword === 'additionalProperties') {
			for (const key of error.params.additionalProperties) {
				problems.push({
					path: join(path, key),
					message: 'is not a known key',
					fix: 'remove it or correct its spelling',
				});
			}
		} else if (error.keyword === 'required') {
			for (const key of error.params.requiredProperties) {
				problems.push({ path: join(path, key), message: 'is missing', fix: 'add it' });
			}
		} else if (error.keyword === 'enum') {
			const allowed = error.params.allowedValues.join(', ');
			problems.push({ path, message: 'is not one of the allowed values', fix: `use one of: ${allowed}` });
		} else if (error.keyword !== 'boolean') {
			problems.push({ path, message: error.message, fix: 'correct the value' });
		}
	}
	return problems;
}

function join(path: string, key: string): string {
	return path === '' ? key : `${path}.${key}`;
}

/** How a single device is given: a model or a driver, and options as `key=value`. */
export interface DeviceChoice {
	readonly model?: string;
	readonly driver?: string;
	readonly set?: readonly string[];
}

/** Checks the settings of one device as a lane would. Throws `config_invalid` with all problems at once. */
export function checkDeviceSettings(
	slot: 'scanner' | 'relay' | 'inputs',
	{ model, driver, set = [] }: DeviceChoice,
): DeviceSettings {
	const { value } = parseConfig('the command line', '{}', set);
	const given = {
		...(value as object),
		...(model !== undefined && { model }),
		...(driver !== undefined && { driver }),
	};
	const expanded =
		slot === 'inputs'
			? { device: given, problems: [] }
			: withModel(slot === 'relay' ? 'relays' : 'scanners', given, slot);
	const { problems, filled } = checkDevice(slot, expanded.device, slot);
	const all = [...expanded.problems, ...problems];
	if (!('driver' in expanded.device))
		all.push({ path: 'driver', message: 'is missing', fix: 'name a --model or a --driver' });
	if (all.length > 0) throw problemsError('the command line', all);
	const settings = filled as { readonly driver: string } & Record<string, unknown>;
	return slot === 'relay' ? relaySettings(settings) : deviceSettings(settings);
}

const slots = Object.keys(deviceSlots) as DeviceSlot[];

/** Checks each device of each lane against the options of its driver, and fills in their defaults. */
function deviceProblems(value: unknown): Problem[] {
	const lanes = (value as { lanes?: unknown }).lanes;
	if (!Array.isArray(lanes)) return [];
	return lanes.flatMap((lane: unknown, index) => {
		if (typeof lane !== 'object' || lane === null) return [];
		const devices = lane as Record<string, unknown>;
		return slots.flatMap((slot) => {
			const device = devices[slot];
			if (typeof device !== 'object' || device === null) return [];
			const { problems, filled } = checkDevice(slot, device, `lanes.${index}.${slot}`);
			devices[slot] = filled;
			return problems;
		});
	});
}

function checkDevice(slot: DeviceSlot, device: object, path: string): { problems: Problem[]; filled: unknown } {
	const { table, extra } = deviceSlots[slot];
	const { driver: name, ...rest } = device as { driver?: unknown };
	const driver = typeof name === 'string' ? table[name] : undefined;
	if (!driver) {
		if (name === undefined) return { problems: [], filled: device };
		const known = Object.keys(table).join(', ');
		const message = `names no driver: ${JSON.stringify(name)}`;
		return { problems: [{ path: `${path}.driver`, message, fix: `use one of: ${known}` }], filled: device };
	}
	const schema = Type.Object({ ...extra, ...driver.options.properties }, { additionalProperties: false });
	const filled = Default(schema, rest) as object;
	return { problems: schemaProblems(schema, filled, path), filled: { driver: name, ...filled } };
}

/** What no schema can say. */
function ruleProblems(frame: GateFrame): Problem[] {
	return [...zoneProblems(frame), ...classProblems(frame), ...sessionProblems(frame), ...laneProblems(frame)];
}

function zoneProblems({ venue }: GateFrame): Problem[] {
	try {
		new Intl.DateTimeFormat('en', { timeZone: venue.timeZone });
		return [];
	} catch {
		const fix = 'use an IANA name, e.g. Asia/Shanghai';
		return [{ path: 'venue.timeZone', message: `is not a time zone: ${JSON.stringify(venue.timeZone)}`, fix }];
	}
}

/** Rules of a class that would silently do nothing. */
function classProblems({ classes }: GateFrame): Problem[] {
	return Object.entries(classes).flatMap(([name, rules]) => {
		const problems: Problem[] = [];
		const missing = (key: string, why: string, fix: string) =>
			problems.push({ path: `classes.${name}.${key}`, message: `is missing for ${why}`, fix });
		if (rules.lane === 'cue' && rules.cue === undefined) missing('cue', 'lane: cue', 'say what staff look at');
		if (rules.unverifiedLimit === 'refuse' && rules.unverifiedPerHour === undefined) {
			missing('unverifiedPerHour', 'unverifiedLimit: refuse', 'add the limit, or use offline: refuse');
		}
		return problems;
	});
}

function sessionProblems({ sessions }: GateFrame): Problem[] {
	return Object.entries(sessions).flatMap(([name, { from, until }]) => {
		const path = `sessions.${name}`;
		const bad = (
			[
				['from', from],
				['until', until],
			] as const
		).filter(([, text]) => instant(text) === undefined);
		if (bad.length > 0) {
			const fix = 'write it with its zone, e.g. 2026-11-22T19:00:00+08:00';
			return bad.map(([key]) => ({ path: `${path}.${key}`, message: 'is not an instant of ISO 8601', fix }));
		}
		const ordered = Number(instant(from)) < Number(instant(until));
		return ordered ? [] : [{ path: `${path}.until`, message: 'is not after `from`', fix: 'exchange or correct them' }];
	});
}

function laneProblems({ lanes }: GateFrame): Problem[] {
	const seen = new Set<string>();
	return lanes.flatMap((lane, index) => {
		const path = `lanes.${index}`;
		const problems: Problem[] = [];
		if (seen.has(lane.id))
			problems.push({ path: `${path}.id`, message: `${lane.id} is used twice`, fix: 'rename one lane' });
		seen.add(lane.id);
		if (lane.mode === 'both' && !lane.exitScanner) {
			const fix = 'add the scanner of the exit side, or use mode entry or exit';
			problems.push({ path: `${path}.exitScanner`, message: 'is missing for mode both', fix });
		}
		if (!lane.relay) problems.push(...gatelessProblems(lane, path));
		return problems;
	});
}

/** A relay that was forgotten must not look like a handheld: only the scanner of one makes it such. */
function gatelessProblems({ scanner, feedback }: GateFrame['lanes'][number], path: string): Problem[] {
	const fix = 'add it; only a lane whose scanner is a Bluetooth handheld (driver ble) may have none';
	const missing = { path: `${path}.relay`, message: 'is missing', fix };
	const dark = { path: `${path}.feedback`, message: 'needs the board of a relay', fix: 'add `relay`, or remove it' };
	return [...(scanner.driver === 'ble' ? [] : [missing]), ...(feedback ? [dark] : [])];
}

/** Milliseconds of an ISO 8601 date-time with zone; undefined for anything else. */
function instant(text: string): number | undefined {
	if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text)) return undefined;
	const value = Date.parse(text);
	return Number.isNaN(value) ? undefined : value;
}

function build(frame: GateFrame): GateConfig {
	return {
		agent: frame.agent,
		...(frame.keys !== undefined && { keysDir: resolve(frame.keys) }),
		dataDir: resolve(frame.data),
		...(frame.event !== undefined && { policy: buildPolicy(frame, frame.event) }),
		timeZone: frame.venue.timeZone,
		claimBudgetMs: frame.venue.claimMs,
		startWaitMs: frame.venue.startMs,
		http: frame.http,
		logLevel: frame.log.level,
		...(frame.update && { update: wantedUpdate(frame.update) }),
		lanes: frame.lanes.map(buildLane),
	};
}

function buildPolicy({ venue, classes, unknownClass, sessions }: GateFrame, event: string): Policy {
	return {
		evt: event,
		timeZone: venue.timeZone,
		dayStartsAtMinutes: readTimeOfDay(venue.dayStartsAt),
		// The schema has the same fields and has filled in the defaults.
		classes: classes as Record<string, ClassPolicy>,
		unknownClass,
		sessions: Object.fromEntries(Object.entries(sessions).map(([name, session]) => [name, buildSession(session)])),
	};
}

function buildSession({ from, until, graceMinutes, postponedMinutes }: GateFrame['sessions'][string]): SessionPolicy {
	return {
		fromMs: Number(instant(from)),
		untilMs: Number(instant(until)),
		graceMs: graceMinutes * 60_000,
		postponedMs: postponedMinutes * 60_000,
	};
}

function buildLane({
	scanner,
	exitScanner,
	relay,
	inputs,
	feedback,
	...rules
}: GateFrame['lanes'][number]): LaneSettings {
	const roles = contacts(inputs);
	return {
		lane: { ...rules, passageSensor: roles.has('passage') || roles.has('reverse'), fireInput: roles.has('fire') },
		scanner: deviceSettings(scanner),
		...(relay && { relay: relaySettings(relay) }),
		...(exitScanner && { exitScanner: deviceSettings(exitScanner) }),
		...(inputs && { inputs: deviceSettings(inputs) }),
		...(feedback && { feedback: deviceSettings(feedback) }),
	};
}

/** The contacts that an input board is wired to: every driver of the kind lists them under `contacts`. */
function contacts(inputs: Readonly<Record<string, unknown>> | undefined): ReadonlySet<InputRole> {
	const wired = (inputs?.contacts ?? {}) as Readonly<Record<string, unknown>>;
	return new Set(inputRoles.filter((role) => wired[role] !== undefined));
}

function deviceSettings({ driver, ...options }: { driver: string }): DeviceSettings {
	return { driver, options };
}

function relaySettings(relay: { driver: string }): RelaySettings {
	const { driver, channel, exitChannel, pulseMs, ...options } = relay as { driver: string } & Omit<
		RelaySettings,
		'options'
	>;
	return { driver, channel, exitChannel: exitChannel ?? channel, pulseMs, options };
}

function deepFreeze<T>(value: T): T {
	if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
		Object.freeze(value);
		for (const part of Object.values(value)) deepFreeze(part);
	}
	return value;
}
