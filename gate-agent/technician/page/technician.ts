import type { DeskState } from '../desk.ts';
import { deviceTable, element, factCards, laneCards, logLines, scanTable } from './sections.ts';
import { answerWord, type Language, pageWord, type pageWords } from './words.ts';

const base = '/technician';

/** What the page remembers on this device: how it is read. */
const kept = { language: 'stileward.technician.language', theme: 'stileward.technician.theme' };

/** The page while it is open. */
const page: {
	language: Language;
	shown: DeskState | undefined;
	/** What each part was made of: a part that has not changed keeps its focus and its place. */
	readonly made: Map<string, string>;
	stream: EventSource | undefined;
} = {
	language: languageOf(localStorage.getItem(kept.language) ?? navigator.language),
	shown: undefined,
	made: new Map(),
	stream: undefined,
};

function languageOf(text: string): Language {
	return text.startsWith('zh') ? 'zh' : 'en';
}

function byId<Found extends HTMLElement = HTMLElement>(id: string): Found {
	const found = document.getElementById(id);
	if (found === null) throw new Error(`assertion failed: the page has no ${id}`);
	// Whoever asks knows what the HTML has there.
	return found as Found;
}

function isDark(): boolean {
	const theme = localStorage.getItem(kept.theme);
	return theme === null ? matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark';
}

/** Writes every word of the page in its language. */
function writeWords(): void {
	const { language } = page;
	document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
	document.title = `Stileward · ${pageWord('title', language)}`;
	for (const part of document.querySelectorAll<HTMLElement>('[data-word]')) {
		part.textContent = pageWord(part.dataset.word as keyof typeof pageWords, language);
	}
	const other = byId('language');
	other.textContent = pageWord('otherLanguage', language);
	other.lang = language === 'zh' ? 'en' : 'zh-CN';
	document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
	byId('theme').textContent = pageWord(isDark() ? 'toLight' : 'toDark', language);
	page.made.clear();
	if (page.shown) show(page.shown);
}

/** Puts a part in the place of the one before, where what it is made of has changed. */
function put(id: string, from: unknown, make: () => readonly Node[]): void {
	const text = JSON.stringify(from);
	if (page.made.get(id) === text) return;
	page.made.set(id, text);
	byId(id).replaceChildren(...make());
}

function show(shown: DeskState): void {
	const { language } = page;
	page.shown = shown;
	const { lanes, devices, scans, gate, clock, venue, config, ledger, log } = shown;
	byId('gate').textContent = `${gate.agent} · ${gate.version}`;
	put('lanes', lanes, () => laneCards(shown, language));
	put(
		'relay',
		lanes.map(({ id, opens }) => [id, opens]),
		() => relayTests(shown),
	);
	put('devices', devices, () => [deviceTable(shown, language)]);
	put('scans', scans, () => [scanTable(shown, language)]);
	put('facts', [gate, clock, venue, config, ledger], () => factCards(shown, language));
	put('log', log, () => logLines(shown, language));
}

/** One form for each lane that has a gate. */
function relayTests({ lanes }: DeskState): readonly Node[] {
	const { language } = page;
	return lanes
		.filter(({ opens }) => opens.length > 0)
		.map(({ id, opens }) => {
			const clear = document.createElement('input');
			clear.type = 'checkbox';
			const label = element('label', [clear, document.createTextNode(pageWord('isClear', language))]);
			const buttons = opens.map((direction) => {
				const button = element('button', pageWord(direction === 'exit' ? 'openExit' : 'openEntry', language), 'act');
				button.setAttribute('type', 'button');
				button.setAttribute('aria-label', `${id}: ${button.textContent}`);
				button.addEventListener('click', () => void testRelay({ lane: id, direction, isClear: clear.checked }, clear));
				return button;
			});
			return element('fieldset', [element('legend', id), label, element('div', buttons, 'buttons')]);
		});
}

async function testRelay(
	request: { readonly lane: string; readonly direction: string; readonly isClear: boolean },
	clear: HTMLInputElement,
): Promise<void> {
	const result = byId('relay-result');
	result.textContent = '';
	const { kind, why, problem, hint } = await post('relay-test', request);
	// What was said of this moment is not said of the next.
	clear.checked = false;
	result.className = kind === 'pulsed' ? 'good' : 'bad';
	const text = answerWord(why ?? kind ?? 'failed', page.language) ?? answerWord('failed', page.language);
	result.textContent = `${request.lane}: ${[kind === 'failed' ? '' : text, problem, hint].filter(Boolean).join(' ')}`;
	if (kind === 'signed_out') showSignIn();
}

/** What a post is answered with; an answer that does not come is `failed`. */
interface Answer {
	readonly kind?: string;
	readonly why?: string;
	readonly problem?: string;
	readonly hint?: string;
	readonly seconds?: number;
}

async function post(what: string, body: unknown): Promise<Answer> {
	try {
		const headers = { 'content-type': 'application/json' };
		const response = await fetch(`${base}/${what}`, { method: 'POST', headers, body: JSON.stringify(body) });
		return (await response.json()) as Answer;
	} catch {
		return { kind: 'failed' };
	}
}

async function signIn(event: SubmitEvent): Promise<void> {
	event.preventDefault();
	const pin = byId<HTMLInputElement>('pin');
	const problem = byId('pin-problem');
	problem.textContent = '';
	const { kind = 'failed', seconds } = await post('sign-in', { pin: pin.value });
	pin.value = '';
	if (kind === 'signed_in') return showDesk();
	problem.textContent = `${answerWord(kind, page.language) ?? answerWord('failed', page.language)}${seconds ?? ''}`;
	pin.focus();
}

function showSignIn(): void {
	page.stream?.close();
	page.stream = undefined;
	page.shown = undefined;
	page.made.clear();
	for (const id of ['lanes', 'relay', 'devices', 'scans', 'facts', 'log']) byId(id).replaceChildren();
	byId('gate').textContent = '';
	byId('desk').hidden = true;
	byId('sign-out').hidden = true;
	byId('sign-in').hidden = false;
	byId('pin').focus();
}

function showDesk(): void {
	byId('sign-in').hidden = true;
	byId('desk').hidden = false;
	byId('sign-out').hidden = false;
	const link = byId('link');
	page.stream?.close();
	const stream = new EventSource(`${base}/events`);
	page.stream = stream;
	stream.addEventListener('state', ({ data }) => {
		link.textContent = pageWord('live', page.language);
		link.className = 'good';
		// The gate's own server has written it.
		show(JSON.parse(String(data)) as DeskState);
	});
	stream.addEventListener('error', () => {
		link.textContent = pageWord('broken', page.language);
		link.className = 'bad';
		void askWhy();
	});
}

/** How soon a stream that was refused is asked for again; the browser itself does so for one that broke. */
const againMs = 2_000;

/** A stream does not say why it ended: the session may be over, or the gate starts anew. */
async function askWhy(): Promise<void> {
	const status = await fetch(`${base}/state`).then(
		(response) => response.status,
		() => 0,
	);
	if (status === 401) showSignIn();
	else if (page.stream?.readyState === EventSource.CLOSED) setTimeout(showDesk, againMs);
}

async function start(): Promise<void> {
	writeWords();
	byId('language').addEventListener('click', () => {
		page.language = page.language === 'zh' ? 'en' : 'zh';
		localStorage.setItem(kept.language, page.language);
		writeWords();
	});
	byId('theme').addEventListener('click', () => {
		localStorage.setItem(kept.theme, isDark() ? 'light' : 'dark');
		writeWords();
	});
	byId('sign-out').addEventListener('click', () => void post('sign-out', {}).then(showSignIn));
	byId('sign-in').addEventListener('submit', (event) => void signIn(event));
	const response = await fetch(`${base}/state`).catch(() => undefined);
	if (response?.status === 200) showDesk();
	else showSignIn();
}

void start();
