import type { Screen } from '../../core/lane-state.ts';

/** What the gate sends for a screen. */
export interface ShownScreen {
	readonly screen: Screen;
	/** The gate's time, milliseconds since 1970. */
	readonly nowMs: number;
	readonly timeZone: string;
	/** Differs for every new screen; the same again after a reconnect. */
	readonly id: string;
}

/** Two missed beats: then the gate is taken for gone, well within five seconds. */
const silenceMs = 4_200;

const checkMs = 250;

/** How long one attempt to connect may take before the next begins. */
const attemptMs = 2_000;

/** Whom to tell. `onGone` is called once per outage, `onScreen` for the first screen after it too. */
export interface LaneListener {
	readonly onScreen: (shown: ShownScreen) => void;
	readonly onGone: () => void;
}

/**
 * Listens to a lane for ever. `EventSource` gives up after some errors (an answer other than 200) and never notices a
 * connection that is merely silent, so a watchdog of our own decides both.
 */
export function listenToLane(url: string, listener: LaneListener): void {
	let source = connect(url, onEvent);
	let heardMs = performance.now();
	let triedMs = heardMs;
	let gone = false;

	function onEvent(message: MessageEvent<string>): void {
		heardMs = performance.now();
		if (message.type !== 'screen') return;
		gone = false;
		// Our own server wrote it: `ScreenEvent` in http-server.ts.
		const data = JSON.parse(message.data) as Omit<ShownScreen, 'id'>;
		listener.onScreen({ ...data, id: message.lastEventId });
	}

	setInterval(() => {
		const nowMs = performance.now();
		if (nowMs - heardMs < silenceMs) return;
		if (!gone) {
			gone = true;
			listener.onGone();
		}
		if (nowMs - triedMs < attemptMs) return;
		triedMs = nowMs;
		source.close();
		source = connect(url, onEvent);
	}, checkMs);
}

function connect(url: string, onEvent: (message: MessageEvent<string>) => void): EventSource {
	const source = new EventSource(url);
	source.addEventListener('screen', onEvent);
	source.addEventListener('beat', onEvent);
	return source;
}
