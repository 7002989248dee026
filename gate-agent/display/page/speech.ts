import type { ScreenText } from '../../core/texts.ts';

/** A language of the display. */
export type Language = 'zh' | 'en';

const locales: Readonly<Record<Language, string>> = { zh: 'zh-CN', en: 'en-US' };

/** The same words are not said twice within this time, e.g. while a visitor holds a refused code to the scanner. */
const repeatMs = 3_000;

/** Says screens aloud, one at a time. */
export interface Speaker {
	say(text: ScreenText): void;
	/** Stops in the middle of a word: what was said no longer holds. */
	hush(): void;
}

/**
 * A speaker that says the title, and for anything but a free way also the advice, in the given order of languages.
 * Browsers speak only after a first click, unless started with `--autoplay-policy=no-user-gesture-required`.
 */
export function createSpeaker(languages: readonly Language[]): Speaker {
	const speech = window.speechSynthesis;
	let lastWords = '';
	let lastMs = Number.NEGATIVE_INFINITY;
	return {
		say: (text) => {
			const words = languages.map((language) => sentence(text, language));
			const nowMs = performance.now();
			const repeated = words.join() === lastWords && nowMs - lastMs < repeatMs;
			if (repeated) return;
			lastWords = words.join();
			lastMs = nowMs;
			speech.cancel();
			words.forEach((line, at) => {
				speech.speak(utterance(line, languages[at] ?? 'zh'));
			});
		},
		hush: () => speech.cancel(),
	};
}

/** A speaker for displays that stay silent. */
export const silentSpeaker: Speaker = { say: () => {}, hush: () => {} };

function sentence(text: ScreenText, language: Language): string {
	const { title, advice } = text[language];
	if (text.tone === 'go') return title;
	return language === 'zh' ? `${title}。${advice}` : `${title}. ${advice}`;
}

function utterance(line: string, language: Language): SpeechSynthesisUtterance {
	const spoken = new SpeechSynthesisUtterance(line);
	spoken.lang = locales[language];
	const voice = window.speechSynthesis.getVoices().find(({ lang }) => lang.startsWith(language));
	if (voice !== undefined) spoken.voice = voice;
	return spoken;
}
