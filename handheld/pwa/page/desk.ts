import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Screen } from '../../../gate-agent/core/lane-state.ts';
import { type ScreenText, textOf } from '../../../gate-agent/core/texts.ts';
import type { Done, Handheld, HandheldState, Looked, Shown, Undoable, Verdict } from '../engine/handheld.ts';
import type { ScanSource } from '../scan/scan-source.ts';
import type { Battery } from './battery.ts';
import { problemText } from './sentences.ts';
import { keepSettings, readSettings, type Settings, type Shelf } from './settings.ts';
import type { Signals } from './signals.ts';
import type { Text } from './words.ts';

/** What fills the screen between two visitors. `id` tells two equal verdicts apart. */
export type Showing =
	| { readonly kind: 'ready' }
	| { readonly kind: 'busy' }
	| { readonly kind: 'verdict'; readonly id: number; readonly verdict: Verdict }
	| { readonly kind: 'looked'; readonly id: number; readonly looked: Looked };

/** What lies over the scan screen. */
export type Sheet =
	| { readonly kind: 'menu' | 'without_ticket' | 'typed' | 'orders' | 'lanes' | 'post' | 'settings' }
	| { readonly kind: 'history'; readonly ticket: Pick<Shown, 'evt' | 'idx'> }
	| { readonly kind: 'override'; readonly ask: number };

/** What the page needs of its surroundings. */
export interface DeskParts {
	readonly handheld: Handheld;
	readonly sources: readonly ScanSource[];
	readonly signals: Signals;
	readonly shelf: Shelf;
	readonly languages: readonly string[];
	/** What the address said after `#`, where it holds an enrollment. */
	readonly enrollText: string | undefined;
	readonly nowMs: () => number;
	/** Monotonic milliseconds, to measure how fast a verdict is painted. */
	readonly monotonicMs: () => number;
	readonly battery: ReadonlySignal<Battery | undefined>;
	/** Takes a new version into use; undefined while there is none. */
	readonly update: ReadonlySignal<(() => void) | undefined>;
}

/** Codes that wait while one is checked; more are not believed to be visitors. */
const waitingMax = 2;

/** What the page knows and does: signals for its components to read, calls for them to make. */
export class Desk {
	readonly parts: DeskParts;
	readonly state: Signal<HandheldState>;
	readonly settings: Signal<Settings>;
	readonly showing: Signal<Showing> = signal<Showing>({ kind: 'ready' });
	readonly sheet: Signal<Sheet | undefined> = signal<Sheet | undefined>(undefined);
	readonly looking: Signal<boolean> = signal(false);
	/** A short word at the lower edge: what went wrong, or was done. */
	readonly notice: Signal<Text | undefined> = signal<Text | undefined>(undefined);
	/** The time of day, moved on once a second. */
	readonly nowMs: Signal<number>;
	#nextId = 1;
	#checking: Promise<void> = Promise.resolve();
	#waiting = 0;

	constructor(parts: DeskParts) {
		this.parts = parts;
		this.state = signal(parts.handheld.state());
		this.settings = signal(readSettings(parts.shelf, parts.languages));
		this.nowMs = signal(parts.nowMs());
		parts.handheld.watch(() => this.#follow());
	}

	/** Moves the clock of the page on. */
	tick(): void {
		this.nowMs.value = this.parts.nowMs();
	}

	/** A text in the chosen language. */
	say(text: Text): string {
		return text[this.settings.value.language];
	}

	/** The words of a screen, as they are read at this venue. */
	words(screen: Screen): ScreenText {
		const state = this.state.value;
		const timeZone = 'link' in state ? state.link.timeZone : 'Asia/Shanghai';
		return textOf(screen, { timeZone, nowMs: this.parts.nowMs() });
	}

	choose(change: Partial<Settings>): void {
		this.settings.value = { ...this.settings.value, ...change };
		keepSettings(this.parts.shelf, this.settings.value);
	}

	/** Takes a code. Codes are checked one after the other; none while a sheet hides the verdict. */
	code(text: string): Promise<void> {
		if (this.state.value.kind !== 'working' || this.sheet.value !== undefined || this.#waiting > waitingMax) {
			return Promise.resolve();
		}
		this.#waiting += 1;
		this.#checking = this.#checking
			.then(() => this.#check(text))
			.finally(() => {
				this.#waiting -= 1;
			});
		return this.#checking;
	}

	async #check(text: string): Promise<void> {
		const { handheld, monotonicMs } = this.parts;
		this.showing.value = { kind: 'busy' };
		if (this.looking.value) {
			this.#showLooked(await handheld.look(text));
			return;
		}
		const verdict = await handheld.scan(text);
		const resolvedMs = monotonicMs();
		this.show(verdict);
		requestAnimationFrame(() => performance.measure('verdict', { start: resolvedMs, end: monotonicMs() }));
	}

	/** Shows and sounds a verdict. */
	show(verdict: Verdict): void {
		batch(() => {
			this.notice.value = undefined;
			this.showing.value = { kind: 'verdict', id: this.#nextId++, verdict };
		});
		if (this.settings.value.sound) this.parts.signals.give(beatOf(verdict));
	}

	#showLooked(looked: Looked): void {
		this.showing.value = { kind: 'looked', id: this.#nextId++, looked };
		if (this.settings.value.sound) this.parts.signals.give('look');
	}

	/** Makes room for the next visitor. */
	clear(): void {
		batch(() => {
			this.showing.value = { kind: 'ready' };
			this.notice.value = undefined;
		});
	}

	async admit(ask: number, people: number): Promise<void> {
		this.show(await this.parts.handheld.admit(ask, people));
	}

	async undo({ redemptionId }: Undoable): Promise<void> {
		const done = await this.parts.handheld.undo(redemptionId);
		this.clear();
		this.notice.value =
			done.kind === 'done'
				? { zh: '已撤销，门票可再次使用', en: 'Undone: the ticket can be used again' }
				: problemText(done.problem, this.parts.nowMs());
	}

	/** Waits for what staff asked for: closes the sheet and shows the verdict, or gives back what went wrong. */
	async settle(asked: Promise<Done<Verdict>>): Promise<Text | undefined> {
		const done = await asked;
		if (done.kind === 'not_done') return problemText(done.problem, this.parts.nowMs());
		this.sheet.value = undefined;
		this.show(done.value);
		return undefined;
	}

	#follow(): void {
		const before = this.state.value.kind;
		batch(() => {
			this.state.value = this.parts.handheld.state();
			this.tick();
			if (this.state.value.kind === before) return;
			this.sheet.value = undefined;
			this.looking.value = false;
			this.clear();
		});
	}
}

function beatOf(verdict: Verdict): 'granted' | 'cue' | 'refused' {
	if (verdict.kind === 'refused') return 'refused';
	if (verdict.kind === 'ask') return 'cue';
	return 'cue' in verdict.screen && verdict.screen.cue !== undefined ? 'cue' : 'granted';
}
