import type { Screen } from '../../../gate-agent/core/lane-state.ts';
import type { LaneRuntime } from '../../../gate-agent/lane-runtime.ts';
import type { Chance } from '../runtime/chance.ts';
import type { Later, VirtualProcess, VirtualTime } from '../runtime/virtual-time.ts';
import type { Story } from './story.ts';
import type { WorldTicket } from './tickets.ts';
import type { Truth, Visit } from './truth.ts';

/** What a lane is made of, apart from its program. */
export interface LaneBuild {
	readonly id: string;
	/** Whether a contact reports passages. */
	readonly sensor: boolean;
	/** How long the turnstile stays unlocked after a pulse. */
	readonly unlockMs: number;
	/** Milliseconds from one visitor to the next, least and most. */
	readonly gapMs: readonly [number, number];
}

/** Moments of a lane at which its power may fail. */
export type LaneStep = 'scanned' | 'pulsed' | 'passed';

/** What a lane needs of the world. */
export interface SiteOptions {
	readonly device: string;
	readonly build: LaneBuild;
	readonly time: VirtualTime;
	readonly chance: Chance;
	readonly story: Story;
	readonly truth: Truth;
	/** Who comes next; undefined where nobody comes any more. */
	readonly nextTicket: () => WorldTicket | undefined;
	/** The newest epoch that the device had heard of at its last claim. */
	readonly epochHeard: () => number;
	/** Whether the device's lists call this ticket revoked now. */
	readonly knowsRevoked: (ticket: WorldTicket) => Promise<boolean>;
	readonly step: (step: LaneStep) => void;
	/** Told of each pulse, before anybody goes. */
	readonly onPulse: (visit: Visit | undefined) => void;
}

/**
 * A lane as it stands in the entrance: scanner, turnstile, contact, screen, and the people before it. It outlives its
 * device's program; people do what people do, whatever the program thinks.
 */
export interface LaneSite {
	readonly id: string;
	/** The program takes the lane over, or is gone. */
	attach(program: { readonly lane: LaneRuntime; readonly process: VirtualProcess } | undefined): void;
	/** The relay opens for one person. */
	pulse(): void;
	show(screen: Screen): void;
	/** Lets the first visitor come. */
	open(): void;
	/** Whether somebody stands there. */
	readonly isBusy: boolean;
}

/** Who is not served for this long goes away. A lane answers within 5 s or says that it cannot. */
const patienceMs = 12_000;

/** The lane's own time for a passage (`laneConfig`): who goes later is late. */
export const passageTimeoutMs = 6_000;

/** For so long after the last pulse, or the scan, a lane may still have an open grant. */
const openGrantMs = 25_000;

type Will = 'goes' | 'hesitates' | 'turns away';

/** Builds a lane. */
export function createLaneSite(options: SiteOptions): LaneSite {
	return new Site(options);
}

class Site implements LaneSite {
	readonly id: string;
	readonly #options: SiteOptions;
	readonly #name: string;
	#program: { readonly lane: LaneRuntime; readonly process: VirtualProcess } | undefined;
	#visit: Visit | undefined;
	#will: Will = 'goes';
	#lockedMs = 0;
	#isUsed = true;
	#leaving: Later | undefined;

	constructor(options: SiteOptions) {
		this.#options = options;
		this.id = options.build.id;
		this.#name = `${options.device}/${this.id}`;
	}

	get isBusy(): boolean {
		return this.#visit !== undefined;
	}

	attach(program: { readonly lane: LaneRuntime; readonly process: VirtualProcess } | undefined): void {
		if (program === undefined && this.#program !== undefined) this.#interrupt();
		this.#program = program;
	}

	open(): void {
		this.#options.time.outside(() => this.#comeLater());
	}

	show(screen: Screen): void {
		const visit = this.#visit;
		if (visit === undefined) return;
		const said = wordsOf(screen);
		if (said === undefined || said === visit.said) return;
		visit.said = said;
		this.#tell(`the screen says: ${said}`);
		const turnsAway = screen.kind === 'refused' || screen.kind === 'closed' || screen.kind === 'out_of_service';
		if (turnsAway && visit.pulses.length === 0) this.#leaveIn(this.#options.chance.between(300, 1_500));
	}

	pulse(): void {
		const { time, build, step, onPulse } = this.#options;
		const visit = this.#visit;
		this.#lockedMs = time.nowMs() + build.unlockMs;
		this.#isUsed = false;
		visit?.pulses.push({ atMs: time.nowMs() });
		this.#tell(visit ? `the gate opens for ${visit.ticket.name}` : 'the gate opens, and nobody is there');
		onPulse(visit);
		step('pulsed');
		if (visit) time.outside(() => this.#react(visit));
	}

	/** What the visitor does before an open gate. */
	#react(visit: Visit): void {
		const { time, chance, build } = this.#options;
		if (visit.passages.length >= visit.people) return;
		const pulsedMs = time.nowMs();
		if (this.#will === 'turns away') {
			this.#tell('the visitor turns away');
			this.#leaveIn(chance.between(500, 3_000));
			return;
		}
		const canBeLate = build.unlockMs > passageTimeoutMs + 1_000;
		const isLate = this.#will === 'hesitates' && canBeLate;
		const waitMs = isLate ? chance.between(passageTimeoutMs + 50, build.unlockMs - 100) : chance.between(200, 1_800);
		this.#stay(waitMs + 1_000);
		time.after(waitMs, () => this.#pass(visit, pulsedMs));
	}

	#pass(visit: Visit, pulsedMs: number): void {
		const { time, epochHeard, step } = this.#options;
		if (this.#visit !== visit || this.#isUsed || time.nowMs() > this.#lockedMs) return;
		this.#isUsed = true;
		const late = time.nowMs() - pulsedMs >= passageTimeoutMs;
		const isGone = visit.said === wordsOf({ kind: 'not_taken', back: false });
		const unnoted = late && (isGone || this.#program === undefined);
		visit.passages.push({ atMs: time.nowMs(), late, unnoted, epoch: epochHeard() });
		this.#tell(`a visitor goes through with ${visit.ticket.name}${late ? ', late' : ''}`);
		if (this.#program === undefined) visit.interrupted = true;
		this.#contact(true);
		step('passed');
		time.after(150, () => this.#contact(false));
		// A group waits for its next pulse; a single visitor is gone.
		if (visit.passages.length >= visit.people) this.#leaveIn(100);
		else this.#stay(patienceMs);
	}

	#contact(active: boolean): void {
		if (!this.#options.build.sensor) return;
		const program = this.#program;
		program?.process.run(() => program.lane.dispatch({ kind: 'passage', direction: 'entry', active }));
	}

	#comeLater(): void {
		const { time, chance, build } = this.#options;
		const untilLockedMs = Math.max(0, this.#lockedMs - time.nowMs());
		time.after(Math.max(untilLockedMs, chance.between(...build.gapMs)), () => this.#come());
	}

	#come(): void {
		const { time, truth, chance, device, nextTicket } = this.#options;
		if (time.nowMs() < this.#lockedMs) {
			this.#comeLater();
			return;
		}
		const ticket = nextTicket();
		if (ticket === undefined) return;
		const people = ticket.use > 1 ? chance.whole(1, ticket.use) : 1;
		const visit = truth.begin({ ticket, device, lane: this.id, atMs: time.nowMs(), people });
		this.#visit = visit;
		this.#will = this.#options.build.sensor
			? chance.weighted<Will>({ goes: 84, hesitates: 6, 'turns away': 10 })
			: 'goes';
		const flaw = ticket.flaw === undefined ? '' : `, ${ticket.flaw}`;
		this.#tell(
			`${people > 1 ? `${people} visitors present` : 'a visitor presents'} ${ticket.name} (${ticket.cls}${flaw})`,
		);
		this.#stay(patienceMs);
		void this.#present(visit);
	}

	async #present(visit: Visit): Promise<void> {
		const { ticket } = visit;
		const { knowsRevoked, step, time } = this.#options;
		if (this.#program === undefined) {
			this.#tell('the lane is dark');
			return;
		}
		visit.knownRevoked = await knowsRevoked(ticket);
		const program = this.#program;
		if (program === undefined || this.#visit !== visit) return;
		const scan = { kind: 'code', text: ticket.text, atMs: time.nowMs() } as const;
		program.process.run(() => program.lane.dispatch({ kind: 'scan', side: 'entry', scan }));
		step('scanned');
	}

	/** The program has died: what it had open it will settle as taken. */
	#interrupt(): void {
		const { truth, device, time } = this.#options;
		const sinceMs = time.nowMs() - openGrantMs;
		for (const visit of truth.visits) {
			if (visit.device !== device || visit.lane !== this.id) continue;
			const lastMs = visit.pulses.at(-1)?.atMs ?? visit.atMs;
			if (lastMs >= sinceMs) visit.interrupted = true;
		}
	}

	#stay(ms: number): void {
		this.#leaveIn(ms);
	}

	#leaveIn(ms: number): void {
		const { time } = this.#options;
		this.#leaving?.cancel();
		this.#leaving = time.outside(() =>
			time.after(ms, () => {
				const visit = this.#visit;
				if (visit === undefined) return;
				visit.endedMs = time.nowMs();
				this.#visit = undefined;
				if (visit.passages.length === 0) this.#tell('the visitor leaves');
				this.#comeLater();
			}),
		);
	}

	#tell(what: string): void {
		this.#options.story.tell(this.#name, what);
	}
}

/** What a screen says, for the story; undefined where it says nothing to a visitor. */
function wordsOf(screen: Screen): string | undefined {
	switch (screen.kind) {
		case 'refused':
			return `refused, ${screen.refusal.reason}`;
		case 'granted':
			return 'granted';
		case 'out_of_service':
		case 'closed':
		case 'go_through':
		case 'please_wait':
			return screen.kind.replaceAll('_', ' ');
		case 'not_taken':
			return screen.back ? 'not taken, the use goes back' : 'not taken, the use is gone';
		default:
			return undefined;
	}
}
