import { className, type ScreenText, type Words } from '../../../gate-agent/core/texts.ts';
import type { Verdict } from '../engine/handheld.ts';
import { type Text, words } from './words.ts';

/**
 * A verdict in the words of whoever holds the handheld. Refusals read as at a lane; but no gate opens here, and a question
 * is asked of the reader.
 */
export function staffWords(verdict: Verdict, text: ScreenText): ScreenText {
	if (verdict.kind === 'ask') return asked(verdict, text);
	if (verdict.kind === 'exited') return { ...text, ...titled(words.exited, text) };
	const isPlain = verdict.kind === 'granted' && verdict.screen.cue === undefined && verdict.screen.left === undefined;
	if (!isPlain) return text;
	const name = className(verdict.screen.cls);
	return {
		...text,
		zh: { ...text.zh, advice: name?.zh ?? verdict.screen.cls },
		en: { ...text.en, advice: name?.en ?? verdict.screen.cls },
	};
}

function asked({ why }: Verdict & { kind: 'ask' }, text: ScreenText): ScreenText {
	return { ...text, ...titled(why === 'count' ? words.ask_count : words.ask_confirm, text) };
}

function titled(title: Text, { zh, en }: ScreenText): { readonly zh: Words; readonly en: Words } {
	return { zh: { ...zh, title: title.zh }, en: { ...en, title: title.en } };
}
