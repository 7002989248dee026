import { Choices } from './choices.tsx';
import type { Desk } from './desk.ts';
import type { Settings, Theme } from './settings.ts';
import { SheetFrame } from './sheet-frame.tsx';
import { type Text, words } from './words.ts';

const themeWords: Readonly<Record<Theme, Text>> = {
	auto: words.theme_auto,
	light: words.theme_light,
	sunlight: words.theme_sunlight,
	dark: words.theme_dark,
};

/** How this device looks and sounds. Every change holds at once. */
export function SettingsSheet({ desk }: { readonly desk: Desk }) {
	return (
		<SheetFrame desk={desk} title={words.settings}>
			<Choices
				desk={desk}
				legend={words.language}
				name="language"
				options={[
					['zh', { zh: '中文', en: '中文' }],
					['en', { zh: 'English', en: 'English' }],
				]}
				chosen={chosen(desk, 'language')}
			/>
			<Choices
				desk={desk}
				legend={words.theme}
				name="theme"
				options={[
					['auto', themeWords.auto],
					['light', themeWords.light],
					['sunlight', themeWords.sunlight],
					['dark', themeWords.dark],
				]}
				chosen={chosen(desk, 'theme')}
			/>
			<Switch desk={desk} name="largeText" text={words.large_text} />
			<Switch desk={desk} name="sound" text={words.sound} />
		</SheetFrame>
	);
}

/** One setting, to be read and chosen. */
function chosen<K extends keyof Settings>(desk: Desk, name: K): { value: Settings[K] } {
	return {
		get value() {
			return desk.settings.value[name];
		},
		set value(value) {
			// The key and the value belong together by the signature, which the compiler widens.
			desk.choose({ [name]: value } as Partial<Settings>);
		},
	};
}

interface SwitchProps {
	readonly desk: Desk;
	readonly name: 'largeText' | 'sound';
	readonly text: Text;
}

function Switch({ desk, name, text }: SwitchProps) {
	const isOn = desk.settings.value[name];
	return (
		<label class="switch">
			<input type="checkbox" checked={isOn} onChange={() => desk.choose({ [name]: !isOn })} />
			<span>{desk.say(text)}</span>
		</label>
	);
}
