import { useEffect, useLayoutEffect } from 'preact/hooks';
import { BlockedScreen } from './blocked-screen.tsx';
import type { Desk } from './desk.ts';
import { EnrollScreen } from './enroll-screen.tsx';
import { ScanScreen } from './scan-screen.tsx';
import { SignInScreen } from './sign-in-screen.tsx';
import { SymbolSprite } from './symbols.tsx';
import { words } from './words.ts';

/** How often countdowns and ages are written anew. */
const tickMs = 1_000;

/** The whole page: one screen at a time, by what the handheld is doing. */
export function App({ desk }: { readonly desk: Desk }) {
	const { language, theme, largeText } = desk.settings.value;
	useEffect(() => {
		const timer = setInterval(() => desk.tick(), tickMs);
		return () => clearInterval(timer);
	}, [desk]);
	useLayoutEffect(() => {
		const { documentElement } = document;
		documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
		documentElement.dataset.theme = theme;
		documentElement.dataset.text = largeText ? 'large' : 'ordinary';
		document.title = desk.say(words.app);
	}, [desk, language, theme, largeText]);
	return (
		<>
			<SymbolSprite />
			<Screen desk={desk} />
		</>
	);
}

function Screen({ desk }: { readonly desk: Desk }) {
	const state = desk.state.value;
	switch (state.kind) {
		case 'starting':
			return (
				<main class="page centered">
					<p role="status">{desk.say(words.starting)}</p>
				</main>
			);
		case 'blocked':
			return <BlockedScreen desk={desk} why={state.why} />;
		case 'unenrolled':
			return <EnrollScreen desk={desk} />;
		case 'signed_out':
			return <SignInScreen desk={desk} state={state} />;
		case 'working':
			return <ScanScreen desk={desk} state={state} />;
	}
}
