import type { Frame } from './framing.ts';
import type { ScanLanguage } from './scan-reader.ts';

/** Tells a language all of what a scanner sends, and gives what it made of it. */
export function feedAll<Input, State, Item>(
	{ start, feed }: Pick<ScanLanguage<Input, State, Item>, 'start' | 'feed'>,
	inputs: Iterable<Input>,
): { readonly state: State; readonly items: readonly Item[] } {
	let state = start;
	const items: Item[] = [];
	for (const input of inputs) {
		const [next, made] = feed(state, input);
		state = next;
		items.push(...made);
	}
	return { state, items };
}

/** Codes as their text, what is none by its kind. */
export function textsOf(frames: readonly Frame[]): readonly string[] {
	return frames.map((frame) => (frame.kind === 'frame' ? Buffer.from(frame.bytes).toString() : frame.kind));
}
