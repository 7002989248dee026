import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LedgerRow, listRows, type RunningGate, startGate, stileward, until } from './gate.suite.ts';
import type { History, Stretch } from './nemesis-checker.suite.ts';
import type { Action, Plan, TicketRef, Visitor } from './nemesis-plan.suite.ts';
import type { World } from './nemesis-world.suite.ts';

/** What a run leaves: the history to check, and how much happened in it. */
export interface Outcome {
	readonly history: History;
	readonly done: Readonly<Record<string, number>>;
	/** From the moment that everything is whole until the lane is ready, ms. */
	readonly readyMs: number;
}

/** A healed lane is ready again within this time. */
export const readyWithinMs = 5_000;
/** How long nothing may move for a lane to be called quiet: a torn code stays with the scanner's driver for a second. */
const quietMs = 1_200;
/** From the agent's word to the edge of a coil, while this process is not busy itself. */
const edgeLagMs = 300;
/** A device that was away is opened again with a pause of up to two seconds; until then passages go unseen. */
const reopenMs = 4_000;

/** What the nemesis knows while it works. */
interface Run {
	readonly world: World;
	readonly plan: Plan;
	readonly faults: Stretch[];
	readonly holds: Stretch[];
	readonly passages: number[];
	readonly gates: RunningGate[];
	readonly done: Record<string, number>;
	/** Agents that ended although nobody told them to, with what they said. */
	readonly crashes: string[];
	/** Faults that heal by themselves, and restarts under way. */
	readonly healing: Set<Promise<void>>;
	gate: RunningGate | undefined;
	/** Set while a fault of this name lasts: one thing is broken once at a time. */
	readonly broken: Set<string>;
	openings: number;
	/** How late this process, which plays the board, notices what happens. */
	readonly loop: ReturnType<typeof monitorEventLoopDelay>;
}

/** Carries a plan out against a real gate process, heals everything, and gives what was seen. */
export async function runNemesis(world: World, plan: Plan): Promise<Outcome> {
	const run: Run = {
		...{ world, plan, faults: [], holds: [], passages: [], gates: [], done: {}, crashes: [] },
		...{
			healing: new Set(),
			gate: undefined,
			broken: new Set(),
			openings: 0,
			loop: monitorEventLoopDelay({ resolution: 10 }),
		},
	};
	run.loop.enable();
	world.onOpen.add(() => meetVisitor(run));
	start(run);
	await run.gate?.ready();
	for (const { afterMs, action } of plan.steps) {
		await sleep(afterMs);
		tally(run, action.kind);
		await act(run, action);
	}
	await Promise.all(run.healing);
	const readyMs = await heal(run);
	await admitsAgain(run, 0);
	await quiet(run);
	const rowsBefore = await listRows(world.data);
	await stop(run);
	start(run);
	await heal(run);
	await admitsAgain(run, 1);
	await quiet(run);
	await stop(run);
	await stileward('ledger', 'verify', '--data', world.data);
	const history = historyOf(run, rowsBefore, await listRows(world.data));
	run.loop.disable();
	return { history, done: { ...run.done, ...countRows(history.rows) }, readyMs };
}

async function stop(run: Run): Promise<void> {
	const { gate } = run;
	run.gate = undefined;
	const code = await gate?.stop();
	if (code !== 0) run.crashes.push(`exit code ${code} after SIGTERM`);
}

function historyOf(
	{ world, gates, ...run }: Run,
	rowsBefore: readonly LedgerRow[],
	rows: readonly LedgerRow[],
): History {
	const granted = gates.flatMap(({ lines }) => lines.filter(({ event }) => event === 'granted'));
	return {
		uses: world.uses,
		entryChannel: 1,
		pulseMs: world.pulseMs,
		latePassageMs: world.latePassageMs,
		edges: world.edges,
		passages: run.passages,
		crashes: run.crashes,
		holds: run.holds,
		faults: run.faults,
		sensor: world.sensor,
		acknowledged: granted.map(({ redemptionId }) => String(redemptionId)),
		rowsBefore,
		rows,
		endMs: Date.now(),
		lagMs: edgeLagMs + run.loop.max / 1e6,
	};
}

function countRows(rows: readonly LedgerRow[]): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const { kind, outcome, late } of rows) {
		const name = `row ${kind}${outcome ? ` ${outcome}` : ''}${late ? ' late' : ''}`;
		counts[name] = (counts[name] ?? 0) + 1;
	}
	return counts;
}

function tally({ done }: Run, name: string): void {
	done[name] = (done[name] ?? 0) + 1;
}

/** Starts an agent, and another one when it ends by itself, as a service manager does. */
function start(run: Run): void {
	const gate = startGate(run.world.sets, { config: run.world.config });
	run.gate = gate;
	run.gates.push(gate);
	void gate.ended().then((code) => {
		// Who ends an agent takes it out of the run first.
		if (run.gate !== gate) return;
		run.crashes.push(`exit code ${code}: ${gate.printed().slice(-1_000)}`);
		start(run);
	});
}

/** A scanner that is pulled or a kernel buffer that is full takes no code; the visitor presents again or leaves. */
function present({ world }: Run, ticket: TicketRef): void {
	void world.scanner.write(`${world.codeOf(ticket)}\r`).catch(() => undefined);
}

async function act(run: Run, action: Action): Promise<void> {
	const { world } = run;
	switch (action.kind) {
		case 'present':
			for (let times = 0; times < action.times; times += 1) {
				present(run, action.ticket);
				if (times + 1 < action.times) await sleep(action.gapMs);
			}
			return;
		case 'burst':
			for (const ticket of action.tickets) present(run, ticket);
			return;
		case 'torn':
			void world.scanner.write(world.codeOf(action.ticket).slice(0, action.keep)).catch(() => undefined);
			return;
		case 'garbage':
			void world.scanner.write(Buffer.alloc(action.bytes, 0xa5)).catch(() => undefined);
			return;
		case 'kill':
			return killAt(run, action);
		case 'term':
			return end(run, action.downMs, (gate) => gate.stop());
		default:
			return breakFor(run, action);
	}
}

/** Kills the agent at its moment, and starts it again after its time. */
async function killAt(run: Run, action: Action & { kind: 'kill' }): Promise<void> {
	const { world } = run;
	const endNow = () => end(run, action.downMs, (gate) => gate.kill());
	if (action.moment === 'now') return endNow();
	const ended = Promise.withResolvers<void>();
	// Without a delay it dies inside the very turn in which the coil is seen to close.
	const onClosing = () => {
		world.onClosing.delete(onClosing);
		void (action.delayMs === 0 ? endNow() : sleep(action.delayMs).then(endNow)).then(ended.resolve);
	};
	if (action.moment === 'after_on') world.onClosing.add(onClosing);
	present(run, action.ticket);
	await (action.moment === 'after_on'
		? Promise.race([ended.promise, sleep(1_000)])
		: sleep(action.delayMs).then(endNow));
	world.onClosing.delete(onClosing);
}

async function end(run: Run, downMs: number, by: (gate: RunningGate) => Promise<unknown>): Promise<void> {
	const { gate } = run;
	if (!gate || run.broken.has('freeze')) return;
	const fromMs = Date.now();
	run.gate = undefined;
	await by(gate);
	await sleep(downMs);
	start(run);
	// What happens next must also happen to an agent that is just starting; its faults end when it is ready.
	const fault = { fromMs, untilMs: Number.POSITIVE_INFINITY };
	run.faults.push(fault);
	const started = run.gate as RunningGate | undefined;
	void started
		?.ready()
		.catch(() => undefined)
		.then(() => {
			fault.untilMs = Date.now();
		});
}

type Breaking = Action & { readonly ms: number };

/** Breaks one thing for a while; it is whole again by itself. What is broken already stays so. */
function breakFor(run: Run, action: Breaking): void {
	const name = action.kind === 'pull' ? action.device : action.kind;
	if (run.broken.has(name)) return;
	const mend = breakNow(run, action);
	if (!mend) return;
	run.broken.add(name);
	const fault = { fromMs: Date.now(), untilMs: Number.POSITIVE_INFINITY };
	if (action.kind !== 'fire') run.faults.push(fault);
	const healed = sleep(action.ms)
		.then(mend)
		.then(() => {
			fault.untilMs = Date.now() + (action.kind === 'pull' || action.kind === 'no_power' ? reopenMs : 0);
			run.broken.delete(name);
			run.healing.delete(healed);
		});
	run.healing.add(healed);
}

function signal({ pid }: RunningGate, name: NodeJS.Signals): void {
	try {
		process.kill(pid, name);
	} catch {
		// It ended by itself, which is told elsewhere.
	}
}

/** Breaks, and gives what mends; undefined where it cannot be broken now. */
function breakNow(run: Run, action: Breaking): (() => Promise<void> | void) | undefined {
	const { world, gate } = run;
	switch (action.kind) {
		case 'pull':
			return pull(run, action.device);
		case 'no_power':
			world.setPower(false);
			return () => world.setPower(true);
		case 'freeze':
			if (!gate) return undefined;
			signal(gate, 'SIGSTOP');
			return () => signal(gate, 'SIGCONT');
		case 'full_disk':
			if (!world.fillDisk) return undefined;
			world.fillDisk(true);
			// Twice: an agent that is just starting, or a lane that is busy, hears the first one in vain.
			present(run, action.ticket);
			setTimeout(() => present(run, action.ticket), action.ms / 2);
			return () => world.fillDisk?.(false);
		case 'fire':
			return fire(run);
		default:
			return undefined;
	}
}

function pull({ world }: Run, device: 'scanner' | 'relay'): () => Promise<void> {
	const pulled = device === 'scanner' ? world.scanner.unplug() : world.unplugRelay();
	return async () => {
		await pulled;
		await (device === 'scanner' ? world.scanner : world.relay).replug();
	};
}

function fire(run: Run): (() => Promise<void>) | undefined {
	const { turnstile } = run.world;
	if (!turnstile) return undefined;
	const hold = { fromMs: Date.now(), untilMs: Number.POSITIVE_INFINITY };
	run.holds.push(hold);
	turnstile.setContact('fire', true);
	return async () => {
		turnstile.setContact('fire', false);
		await resetEmergency(run);
		hold.untilMs = Date.now();
	};
}

/** A person turns the key of the reset until the lane obeys; an agent that is dead meanwhile is waited for. */
async function resetEmergency(run: Run): Promise<void> {
	const { turnstile } = run.world;
	const endMs = Date.now() + 30_000;
	for (let calm = 0; calm < 2; ) {
		if (Date.now() > endMs) throw failure(run, 'the emergency did not end', await healthOf(run));
		turnstile?.setContact('emergency_reset', true);
		await sleep(300);
		turnstile?.setContact('emergency_reset', false);
		await sleep(300);
		const lane = (await healthOf(run))?.lanes?.['lane-1'];
		// The lane releases the gate only once all of its devices are back; until then it is held open on purpose.
		const isOver = lane && !lane.emergency && lane.fire === 'clear' && lane.missing.length === 0;
		calm = isOver ? calm + 1 : 0;
	}
}

interface GateHealth {
	readonly ok: boolean;
	readonly lanes?: Record<
		string,
		{ screen: string; phase: string; emergency: boolean; fire: string; waiting: number; missing: readonly string[] }
	>;
	readonly ledger: { readonly pendingWrites: number };
}

async function healthOf({ gate }: Run): Promise<GateHealth | undefined> {
	if (!gate) return undefined;
	// The gate's own shape; a gate that dies meanwhile has no health.
	return gate.health().catch(() => undefined) as Promise<GateHealth | undefined>;
}

/** The next visitor of the plan comes to the open turnstile. */
function meetVisitor(run: Run): void {
	const { turnstile } = run.world;
	const visitor = run.plan.visitors[run.openings % run.plan.visitors.length];
	run.openings += 1;
	if (!turnstile || !visitor) return;
	setTimeout(() => visit(run, visitor), visitor.kind === 'late' ? 1_520 + (visitor.afterMs % 300) : visitor.afterMs);
}

function visit(run: Run, { kind }: Visitor): void {
	const { turnstile } = run.world;
	if (!turnstile) return;
	tally(run, `visitor ${kind}`);
	if (kind === 'turn_back') {
		turnstile.turnBack('entry');
		return;
	}
	if (kind === 'climb') {
		turnstile.forceThrough('entry');
		return;
	}
	const atMs = Date.now();
	if (turnstile.walkThrough('entry')) run.passages.push(atMs);
	// Close behind each other: the second finds the arm shut.
	if (kind === 'tailgate' && turnstile.walkThrough('entry')) run.passages.push(atMs);
}

function failure({ crashes, gate }: Run, what: string, health: unknown): Error {
	const said = crashes.length > 0 ? crashes.join('\n') : gate?.printed().slice(-2_000);
	return new Error(`${what}: ${JSON.stringify(health)}\n${said}`);
}

/** Waits until a whole world's gate is ready; gives how long that took. */
async function heal(run: Run): Promise<number> {
	const fromMs = performance.now();
	for (;;) {
		const health = await healthOf(run);
		const lane = health?.lanes?.['lane-1'];
		const tookMs = performance.now() - fromMs;
		if (health?.ok && lane && lane.screen !== 'out_of_service') return tookMs;
		if (tookMs > readyWithinMs) throw failure(run, `not ready after ${readyWithinMs} ms`, health);
		await sleep(20);
	}
}

/** A fresh good ticket opens, once those before it are through. */
async function admitsAgain(run: Run, nth: number): Promise<void> {
	await quiet(run);
	const { edges } = run.world;
	const before = edges.length;
	await run.world.scanner.write(`${run.world.spare(nth)}\r`);
	const opens = () => edges.slice(before).some(({ closed }) => closed);
	await until('an opening for a fresh ticket', opens, 3_000).catch(async (error: Error) => {
		throw failure(run, error.message, await healthOf(run));
	});
}

/** Waits until nobody is on the way, nothing waits and no coil moves. */
async function quiet(run: Run): Promise<void> {
	const endMs = performance.now() + 60_000;
	let stillMs = 0;
	for (let moves = ''; stillMs < quietMs; ) {
		const health = await healthOf(run);
		const lane = health?.lanes?.['lane-1'];
		const now = `${run.world.edges.length} ${run.gate?.lines.length}`;
		const isStill = lane?.phase === 'idle' && lane.waiting === 0 && health?.ledger.pendingWrites === 0 && now === moves;
		stillMs = isStill ? stillMs + 50 : 0;
		moves = now;
		if (performance.now() > endMs) throw failure(run, 'never quiet', health);
		await sleep(50);
	}
}
