import type { Screen } from '../../core/lane-state.ts';
import { textOf } from '../../core/texts.ts';
import { listenToLane, type ShownScreen } from './lane-events.ts';
import { fitWords, one, orderLanguages, render } from './render.ts';
import { createSpeaker, type Language, silentSpeaker } from './speech.ts';

/** What is not said aloud: it stands there for hours. */
const quietKinds: ReadonlySet<Screen['kind']> = new Set(['idle', 'closed', 'free', 'out_of_service']);

/** Options of the page's address: `?lang=en,zh` sets order and choice of languages, `?speak=off` silences it. */
function readOptions(search: string): { readonly languages: readonly Language[]; readonly speaks: boolean } {
	const parameters = new URLSearchParams(search);
	const wanted = (parameters.get('lang') ?? '').split(',');
	const languages = wanted.filter((name): name is Language => name === 'zh' || name === 'en');
	return {
		languages: languages.length === 0 ? ['zh', 'en'] : [...new Set(languages)],
		speaks: parameters.get('speak') !== 'off' && 'speechSynthesis' in window,
	};
}

function main(): void {
	const { languages, speaks } = readOptions(location.search);
	const speaker = speaks ? createSpeaker(languages) : silentSpeaker;
	const clock = createClock();
	let lastId = '';
	orderLanguages(languages);
	one('#lane').textContent = decodeURIComponent(location.pathname.split('/').at(-1) ?? '');
	addEventListener('resize', fitWords);
	void keepAwake();
	listenToLane(`${location.pathname}/events`, {
		onScreen: (shown) => {
			const text = textOf(shown.screen, shown);
			render(shown.screen.kind, text);
			clock.set(shown);
			const alreadySaid = shown.id === lastId || isGroupGoingOn(shown.screen);
			lastId = shown.id;
			if (quietKinds.has(shown.screen.kind)) return;
			if (!alreadySaid) speaker.say(text);
		},
		onGone: () => {
			const screen: Screen = { kind: 'out_of_service', missing: [] };
			speaker.hush();
			render(screen.kind, textOf(screen, { timeZone: 'UTC' }));
			clock.stop();
		},
	});
}

/** One by one a group would hear the welcome twenty times. */
function isGroupGoingOn(screen: Screen): boolean {
	return screen.kind === 'granted' && screen.group !== undefined && screen.group.taken > 0;
}

/** The venue's time in the corner, carried on from what the gate last said; empty while the gate is gone. */
function createClock(): { set(shown: ShownScreen): void; stop(): void } {
	let write = (): string => '';
	const show = () => {
		one('#time').textContent = write();
	};
	setInterval(show, 1_000);
	return {
		set: ({ nowMs, timeZone }) => {
			const offsetMs = nowMs - performance.now();
			const format = new Intl.DateTimeFormat('en-US', {
				timeZone,
				hour: '2-digit',
				minute: '2-digit',
				hourCycle: 'h23',
			});
			write = () => format.format(offsetMs + performance.now());
			show();
		},
		stop: () => {
			write = () => '';
			show();
		},
	};
}

/** A tablet must not sleep at the gate. Browsers without wake locks, and plain HTTP from afar, go without. */
async function keepAwake(): Promise<void> {
	const lock = () => navigator.wakeLock?.request('screen').catch(() => undefined);
	await lock();
	document.addEventListener('visibilitychange', () => void lock());
}

main();
