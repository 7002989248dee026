import type { Desk } from './desk.ts';

/** Switches to the other language, and is written in it: whoever needs it can read it. */
export function LanguageButton({ desk }: { readonly desk: Desk }) {
	const other = desk.settings.value.language === 'zh' ? 'en' : 'zh';
	return (
		<button type="button" lang={other === 'zh' ? 'zh-CN' : 'en'} onClick={() => desk.choose({ language: other })}>
			{other === 'zh' ? '中文' : 'English'}
		</button>
	);
}
