import { render } from 'preact';
import { App } from './app.tsx';
import { Desk, type DeskParts } from './desk.ts';

/** Shows a handheld in `root`, and lets staff work with it. */
export function startPage(root: HTMLElement, parts: DeskParts): void {
	render(<App desk={new Desk(parts)} />, root);
}
