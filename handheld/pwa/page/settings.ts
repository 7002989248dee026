/** A language of the page. */
export type Language = 'zh' | 'en';

/** How one handheld looks and sounds; it belongs to the device, not to whoever holds it. */
export interface Settings {
	readonly language: Language;
	/** `auto` follows the system between light and dark; `sunlight` is light with the hardest contrast. */
	readonly theme: Theme;
	readonly largeText: boolean;
	readonly sound: boolean;
}

/** The themes, in the order in which they are offered. */
export const themes = ['auto', 'light', 'sunlight', 'dark'] as const;

/** One of `themes`. */
export type Theme = (typeof themes)[number];

/** Where settings are kept: the two calls of `localStorage` that are needed. */
export type Shelf = Pick<Storage, 'getItem' | 'setItem'>;

const shelfKey = 'stileward.handheld.settings';

/** The settings that were kept, or what suits the languages of the browser. Damaged ones count as none. */
export function readSettings(shelf: Shelf, languages: readonly string[]): Settings {
	const found = parse(shelf.getItem(shelfKey));
	const isEnglish = languages[0] !== undefined && !languages[0].startsWith('zh');
	return {
		language: found.language === 'en' || found.language === 'zh' ? found.language : isEnglish ? 'en' : 'zh',
		theme: themes.find((theme) => theme === found.theme) ?? 'auto',
		largeText: found.largeText === true,
		sound: found.sound !== false,
	};
}

/** Keeps the settings for the next start. */
export function keepSettings(shelf: Shelf, settings: Settings): void {
	shelf.setItem(shelfKey, JSON.stringify(settings));
}

function parse(text: string | null): Readonly<Record<string, unknown>> {
	try {
		const value: unknown = JSON.parse(text ?? '{}');
		return typeof value === 'object' && value !== null ? { ...value } : {};
	} catch {
		return {};
	}
}
