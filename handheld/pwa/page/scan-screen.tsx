import { useEffect } from 'preact/hooks';
import type { HandheldState } from '../engine/handheld.ts';
import { Actions } from './actions.tsx';
import { CameraView } from './camera-view.tsx';
import type { Desk } from './desk.ts';
import { SheetView } from './sheet-view.tsx';
import { StatusBar } from './status-bar.tsx';
import { Mark } from './symbols.tsx';
import { UndoStrip } from './undo-strip.tsx';
import { LookedView, VerdictView } from './verdict-view.tsx';
import { keepAwake } from './wake-lock.ts';
import { words } from './words.ts';

interface ScanProps {
	readonly desk: Desk;
	readonly state: HandheldState & { kind: 'working' };
}

/** The main screen: a visitor's code becomes a verdict, in color, shape, sound and words. */
export function ScanScreen({ desk, state }: ScanProps) {
	useEffect(() => {
		const lock = keepAwake(document);
		return () => lock.stop();
	}, []);
	useSources(desk);
	return (
		<>
			<div class="app" data-tone={toneOf(desk)} data-looking={desk.looking.value}>
				<StatusBar desk={desk} link={state.link} />
				<main class="stage">
					<h1 class="unseen">{desk.say(words.app)}</h1>
					<Ready desk={desk} state={state} />
					<div class="live" aria-live="assertive" aria-atomic="true">
						<Answer desk={desk} />
					</div>
				</main>
				<footer class="thumb">
					{desk.notice.value && (
						<p class="notice" role="status">
							{desk.say(desk.notice.value)}
						</p>
					)}
					<UndoStrip desk={desk} undoable={state.undoable} />
					<Actions desk={desk} />
				</footer>
			</div>
			<SheetView desk={desk} state={state} />
		</>
	);
}

/** Listens to every source but the camera, which needs a place to show itself. */
function useSources(desk: Desk): void {
	useEffect(() => {
		const others = desk.parts.sources.filter(({ kind }) => kind !== 'camera');
		const sessions = others.map((source) => source.start((text) => void desk.code(text)));
		return () => {
			// A source that never began has nothing to stop.
			for (const session of sessions) session.then((each) => each.stop()).catch(() => {});
		};
	}, [desk]);
}

function toneOf(desk: Desk): string {
	const showing = desk.showing.value;
	if (showing.kind === 'verdict') return desk.words(showing.verdict.screen).tone;
	return showing.kind === 'looked' ? 'info' : 'ready';
}

/** What is there between two visitors. It stays behind a verdict, so that the camera reads on. */
function Ready({ desk, state }: ScanProps) {
	const hasCamera = desk.parts.sources.some(({ kind }) => kind === 'camera');
	const { direction, zone } = state.post;
	return (
		<div class="ready">
			<p class="post">
				{desk.say(words[direction])} · {zone}
			</p>
			{hasCamera ? (
				<CameraView desk={desk} onText={(text) => void desk.code(text)} />
			) : (
				<Mark symbol="scan" tone="info" />
			)}
			<p class="invitation">{desk.say(hasCamera ? words.ready_camera : words.ready_scanner)}</p>
			<Counters desk={desk} state={state} />
		</div>
	);
}

function Counters({ desk, state }: ScanProps) {
	const { admitted, left, refused, withoutTicket } = state.counters;
	const shown = [
		[words.admitted, admitted],
		[words.left, left],
		[words.refused, refused],
		[words.no_ticket_count, withoutTicket],
	] as const;
	return (
		<dl class="counters">
			{shown.map(([word, count]) => (
				<div key={word.en}>
					<dt>{desk.say(word)}</dt>
					<dd>{count}</dd>
				</div>
			))}
		</dl>
	);
}

function Answer({ desk }: { readonly desk: Desk }) {
	const showing = desk.showing.value;
	switch (showing.kind) {
		case 'ready':
			return desk.looking.value ? <p class="look-banner">{desk.say(words.looking)}</p> : null;
		case 'busy':
			return <p class="busy">{desk.say(words.working)}</p>;
		case 'verdict':
			return <VerdictView key={showing.id} desk={desk} verdict={showing.verdict} />;
		case 'looked':
			return <LookedView key={showing.id} desk={desk} looked={showing.looked} />;
	}
}
