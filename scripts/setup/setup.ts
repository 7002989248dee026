import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { examineGate } from '../../gate-agent/checks/examine-gate.ts';
import { found, type Language } from '../../gate-agent/checks/finding.ts';
import { findAgent, lockHolder } from '../../gate-agent/checks/running-agent.ts';
import { serviceUserName, userByName } from '../../gate-agent/checks/service-user.ts';
import { type Surroundings, surroundingsOf } from '../../gate-agent/checks/surroundings.ts';
import { loadConfig } from '../../gate-agent/config.ts';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { readEnrollment } from '../../gate-agent/enrollment.ts';
import { pluggedDevices } from '../../gate-agent/plugged-devices.ts';
import { exitCodes } from '../commands/exit.ts';
import { languageOf } from '../commands/language.ts';
import { jsonLine, type Terminal } from '../commands/output.ts';
import { findingsText } from '../doctor/findings-text.ts';
import { readAnswers } from './answers.ts';
import { type Commissioning, reportData, writeReport } from './commissioning-report.ts';
import { findDevices } from './find-devices.ts';
import { gateFileText } from './gate-file.ts';
import type { GatePlan } from './gate-plan.ts';
import { type ServiceStart, startService } from './gate-service.ts';
import { exists, installGate, withSettings } from './install-gate.ts';
import type { Interview } from './interview.ts';
import { planByAnswers } from './plan-by-answers.ts';
import { planByInterview } from './plan-by-interview.ts';
import { preflight } from './preflight.ts';
import { fillIn, setupWords } from './setup-words.ts';
import { openTerminalInterview } from './terminal-interview.ts';
import { createUndo } from './undo.ts';

/** The options of `setup`. */
export interface SetupOptions {
	readonly config: string;
	readonly data: string;
	readonly answers?: string;
	readonly lang?: Language;
	/** False where `--no-service` was given. */
	readonly service: boolean;
	readonly set?: readonly string[];
	readonly root?: string;
	readonly json?: true;
}

/** One run of the assistant. */
interface Run {
	readonly options: SetupOptions;
	readonly around: Surroundings;
	readonly terminal: Terminal;
	readonly language: Language;
	readonly words: Readonly<Record<keyof (typeof setupWords)['zh'], string>>;
	/** Absent where answers were given beforehand. */
	readonly interview?: Interview;
	readonly signal: AbortSignal;
	readonly startedMs: number;
	say(text: string): Promise<void>;
}

/** Sets a gate up, from what is plugged in to a lane that is ready. Rejects with `setup_ended`, `answers_invalid`, `usage` and what drivers and servers reject with; then nothing was changed. */
export async function setUp(options: SetupOptions, terminal: Terminal): Promise<void> {
	const ended = new AbortController();
	const end = () => {
		ended.abort(new StilewardError('setup_ended', 'the assistant was ended'));
		run.interview?.close();
	};
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end);
	const run = openRun(options, terminal, { signal: ended.signal, onEnd: end });
	const whenEnded = new Promise<never>((_, reject) => {
		ended.signal.addEventListener('abort', () => reject(ended.signal.reason), { once: true });
	});
	whenEnded.catch(() => {});
	try {
		const plan = await Promise.race([planGate(run), whenEnded]);
		await Promise.race([checkPlan(run, plan), whenEnded]);
		await install(run, plan);
	} catch (error) {
		if (error instanceof StilewardError && error.code === 'setup_ended') await run.say(run.words.ended);
		if (!isCodeUsed(error)) throw error;
		const finding = found('enroll_code_used', options.config);
		await terminal.err.write(findingsText([finding], run.language, terminal.err));
		terminal.finish(exitCodes.found);
	} finally {
		run.interview?.close();
		for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, end);
	}
}

function openRun(
	options: SetupOptions,
	terminal: Terminal,
	{ signal, onEnd }: { readonly signal: AbortSignal; readonly onEnd: () => void },
): Run {
	const language = languageOf(options.lang);
	if (options.answers === undefined && !terminal.in.isTTY) {
		throw new StilewardError('usage', 'setup asks questions: run it on a terminal, or give --answers');
	}
	const streams = { input: terminal.in, output: process.stderr, language, onEnd };
	return {
		...{ options, terminal, language, signal, words: setupWords[language] },
		around: surroundingsOf(options.root),
		startedMs: performance.now(),
		...(options.answers === undefined && { interview: openTerminalInterview(streams) }),
		say: (text) => terminal.err.write(`${text}\n`),
	};
}

async function planGate(run: Run): Promise<GatePlan> {
	const { options, around, interview, language, words } = run;
	const read = options.answers === undefined ? undefined : readAnswers(options.answers);
	if (interview) await run.say(words.welcome);
	await refuseRunning(options.data, around);
	await run.say(words.looking);
	const devices = await findDevices(await pluggedDevices(around.roots));
	const enrolled = await readEnrollment(options.data);
	const common = {
		found: devices,
		hostName: gateName(hostname()),
		...(enrolled && { venue: enrolled.enrollment.venue }),
	};
	if (interview) return planByInterview({ ...common, interview, language });
	if (read === undefined) throw new Error('assertion failed: without an interview there are answers');
	const existing = (await exists(options.config)) ? { existing: options.config } : {};
	return planByAnswers({ ...common, ...existing, read, signal: run.signal });
}

/** A gate that runs holds the devices and the ledger that the assistant needs. Throws `ledger_busy`. */
async function refuseRunning(data: string, { roots }: Surroundings): Promise<void> {
	const pid = await lockHolder(join(data, 'ledger.lock'), roots);
	if (pid === undefined) return;
	const advice = 'stop it first (`sudo systemctl stop stileward-gate`); `stileward doctor` looks at it while it runs';
	throw new StilewardError('ledger_busy', `the gate of ${data} runs (process ${pid}): ${advice}`);
}

/** What a host is called, as a gate may be. */
function gateName(host: string): string {
	const name = host
		.toLowerCase()
		.replaceAll(/[^a-z0-9_-]/g, '-')
		.replace(/^[^a-z0-9]+/, '')
		.slice(0, 32);
	return name === '' ? 'gate-1' : name;
}

function textOf({ options, language }: Run, plan: GatePlan): string {
	const { joining } = plan;
	const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
	const standalone =
		joining.kind === 'keys'
			? {
					standalone: {
						keys: joining.dir,
						event: joining.event,
						timeZone: timeZone === 'UTC' ? 'Asia/Shanghai' : timeZone,
					},
				}
			: {};
	const date = new Date().toISOString().slice(0, 10);
	const text = gateFileText({ ...plan, ...standalone, data: options.data, date }, language);
	return withSettings(text, options.set ?? []);
}

/** Shows what the doctor says of the plan, and asks for the last word. Rejects with `setup_ended` where that is no. */
async function checkPlan(run: Run, plan: GatePlan): Promise<void> {
	const { interview, words, terminal, language, options } = run;
	await run.say(words.checking);
	const findings = await preflight(textOf(run, plan), plan.joining, run.around);
	await terminal.err.write(findingsText(findings, language, terminal.err));
	const faults = findings.filter(({ state }) => state === 'fault');
	const refuse = (why: string) => new StilewardError('setup_ended', why);
	if (faults.length > 0) {
		const codes = faults.map(({ code }) => code).join(', ');
		const goesOn = interview ? await interview.confirm(words.despite, false) : despiteFaults(options);
		if (!goesOn) throw refuse(`the checks found faults: ${codes}`);
	}
	if (interview === undefined) return;
	const isThere = await exists(options.config);
	const kept = isThere ? ` ${fillIn(words.replaces, { file: options.config, kept: keptName(options.config) })}` : '';
	const question = fillIn(options.service ? words.write : words.writeOnly, { file: options.config });
	if (!(await interview.confirm(question + kept, true))) throw refuse('the assistant was ended');
}

function despiteFaults({ answers }: SetupOptions): boolean {
	return answers !== undefined && readAnswers(answers).answers.despiteFaults;
}

function keptName(file: string): string {
	return `${file}.before-${new Date().toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}`;
}

/** Everything that writes: to its end, or taken back. */
async function install(run: Run, plan: GatePlan): Promise<void> {
	const { options, around, words, signal } = run;
	const undo = createUndo();
	let service: ServiceStart;
	let venue: string | undefined;
	try {
		if (plan.joining.kind === 'enroll') await run.say(words.enrolling);
		const owner = process.getuid?.() === 0 ? await userByName(serviceUserName, around.roots) : undefined;
		const { build } = around;
		const target = {
			configFile: options.config,
			data: options.data,
			agent: plan.agent,
			keptAs: keptName(options.config),
		};
		const installed = await installGate(
			{ ...target, text: textOf(run, plan), joining: plan.joining, version: build.version, ...(owner && { owner }) },
			undo,
			signal,
		);
		venue = installed.venue;
		if (venue !== undefined) await run.say(fillIn(words.enrolled, { venue }));
		await run.say(fillIn(words.written, { file: options.config }));
		if (installed.kept !== undefined) await run.say(fillIn(words.kept, { file: installed.kept }));
		service = options.service ? await startService(around, undo) : { kind: 'none', why: '--no-service' };
		signal.throwIfAborted();
	} catch (error) {
		await undo.all();
		throw error;
	}
	undo.forget();
	const notStarted = service.kind === 'started' ? undefined : { why: service.why, file: options.config };
	await run.say(notStarted === undefined ? words.serviceStarted : fillIn(words.serviceSkipped, notStarted));
	await commission(run, plan, { service, ...(venue !== undefined && { venue }) });
}

async function commission(
	run: Run,
	plan: GatePlan,
	{ service, venue }: { readonly service: ServiceStart; readonly venue?: string },
): Promise<void> {
	const { options, around, words, terminal, language, interview } = run;
	const ready = service.kind === 'none' ? undefined : service.kind === 'started' && (await waitUntilReady(run));
	const { findings } = await examineGate({ configFile: options.config, sets: [], openDevices: true }, around);
	const minutes = Math.round((performance.now() - run.startedMs) / 6_000) / 10;
	const commissioning: Commissioning = {
		...{
			at: new Date(around.systemMs()).toISOString(),
			version: around.build.version,
			config: options.config,
			data: options.data,
		},
		...{
			plan,
			service: service.kind === 'started' ? service.kind : service.why,
			findings,
			minutes,
			asked: interview?.asked ?? [],
		},
		...(venue !== undefined && { venue }),
		...(ready !== undefined && { ready }),
	};
	const report = await writeReport(commissioning, language);
	await terminal.err.write(findingsText(findings, language, terminal.err));
	const { inputs, healthy } = reportData(commissioning);
	await run.say(fillIn(words.inputs, { ...inputs, minutes }));
	if (options.json) await terminal.out.write(jsonLine({ ...reportData(commissioning), report }));
	else await terminal.out.write(`${fillIn(words.report, { file: report })}\n`);
	if (!healthy || ready === false) terminal.finish(exitCodes.found);
}

/**
 * How long a program may take to start on a slow card before anything of it is heard, and from then on its lane to be ready; how
 * often that is asked.
 */
const heardSeconds = 180;
const readySeconds = 60;
const lookMs = 500;

async function waitUntilReady(run: Run): Promise<boolean> {
	const { words, options, around, signal } = run;
	await run.say(words.waiting);
	const config = loadConfig({ file: options.config });
	const startedMs = around.monoMs();
	let giveUpMs = startedMs + heardSeconds * 1000;
	for (let isHeard = false; around.monoMs() < giveUpMs && !signal.aborted; await sleep(lookMs)) {
		const { health } = await findAgent(config, around.roots);
		const lanes = Object.values(health?.lanes ?? {});
		if (lanes.length > 0 && lanes.every(({ missing }) => missing.length === 0)) {
			await run.say(words.ready);
			return true;
		}
		if (health === undefined || isHeard) continue;
		isHeard = true;
		giveUpMs = around.monoMs() + readySeconds * 1000;
	}
	const seconds = Math.round((around.monoMs() - startedMs) / 1000);
	await run.say(fillIn(words.notReady, { seconds }));
	return false;
}

/** The server's word for a code that is spent, has ended or never was one. */
function isCodeUsed(error: unknown): boolean {
	const cause = error instanceof StilewardError ? (error.cause as { readonly code?: unknown } | undefined) : undefined;
	return cause?.code === 'code_invalid';
}
