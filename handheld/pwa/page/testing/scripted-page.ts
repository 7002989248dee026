import { signal } from '@preact/signals';
import type { HandheldState } from '../../engine/handheld.ts';
import type { ScanSource } from '../../scan/scan-source.ts';
import { browserParts } from '../browser-parts.ts';
import { startPage } from '../start-page.tsx';
import { link, scriptedNowMs, signedOut, working } from './script.ts';
import { lostLink, type ScriptedHandheld, scriptedHandheld } from './scripted-handheld.ts';

/** What tests and pictures reach in the page, as `scripted` of its window. */
interface ScriptedPage {
	readonly handheld: ScriptedHandheld;
	/** Presents a code, as a scanner does. */
	present(text: string): void;
	readonly beats: readonly string[];
}

function stateNamed(name: string | null, nowMs: number): HandheldState {
	switch (name) {
		case 'unenrolled':
			return { kind: 'unenrolled' };
		case 'signed_out':
			return signedOut(nowMs);
		case 'blocked':
			return { kind: 'blocked', why: 'other_tab' };
		case 'lost':
			return { ...working(nowMs), link: lostLink(nowMs) };
		case 'supervisor':
			return { ...working(nowMs), link: link(nowMs), staff: { ...working(nowMs).staff, role: 'supervisor' } };
		default:
			return working(nowMs);
	}
}

const query = new URLSearchParams(location.search);
const beats: string[] = [];
const startedMs = performance.now();
const nowMs = () => scriptedNowMs + performance.now() - startedMs;
const handheld = scriptedHandheld({ state: stateNamed(query.get('state'), scriptedNowMs), nowMs });
const scanner: { read: (text: string) => void } = { read: () => {} };
const scripted: ScriptedPage = { handheld, beats, present: (text) => scanner.read(text) };

Object.assign(window, { scripted });
const root = document.querySelector<HTMLElement>('#root');
if (root === null) throw new Error('assertion failed: the page has a root');
const sources: readonly ScanSource[] = [
	{
		kind: 'wedge',
		start: async (onText) => {
			scanner.read = onText;
			return { stop: () => {}, lost: new Promise(() => {}) };
		},
	},
];
startPage(root, {
	...browserParts(handheld, sources),
	signals: { give: (beat) => beats.push(beat) },
	nowMs,
	battery: signal({ percent: 64, charging: false }),
});
