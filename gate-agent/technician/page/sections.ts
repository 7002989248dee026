import type { DeskState, Facts } from '../desk.ts';
import { factWord, type Language, pageWord } from './words.ts';

/** Makes an element with its text or what is in it. Text is never read as HTML. */
export function element(name: string, inside: string | readonly Node[] = '', className = ''): HTMLElement {
	const made = document.createElement(name);
	if (className !== '') made.className = className;
	if (typeof inside === 'string') made.textContent = inside;
	else made.append(...inside);
	return made;
}

/** The cards of all lanes, with their contacts as they are now. */
export function laneCards({ lanes }: DeskState, language: Language): readonly Node[] {
	return lanes.map((lane) => {
		const { id, mode, phase, fire, emergency, sensor, missing, alarms, inputs } = lane;
		const wrong = [...missing, ...alarms];
		const facts = list(
			{
				mode,
				phase,
				fire,
				emergency,
				sensor,
				...(wrong.length > 0 && { problem: wrong.map((each) => factWord(each, language)).join(', ') }),
			},
			language,
		);
		const contacts = Object.entries(inputs ?? {}).map(([role, closed]) => {
			const item = element('li', `${factWord(role, language)} ${closed ? '●' : '○'}`);
			item.dataset.closed = String(closed);
			return item;
		});
		return element(
			'div',
			[element('h3', id), facts, ...(contacts.length > 0 ? [element('ul', contacts, 'contacts')] : [])],
			'card',
		);
	});
}

/** The table of devices. */
export function deviceTable({ devices }: DeskState, language: Language): Node {
	const rows = devices.map(({ name, state, problem, hint, details }) => {
		const more = Object.entries(details).map(([key, value]) => `${factWord(key, language)} ${value}`);
		const cell = element(
			'td',
			[problem, hint, ...more].filter((each) => each !== undefined && each !== '').join(' · '),
		);
		return [
			element('td', name),
			element('td', factWord(state, language), state === 'ready' ? 'good short' : 'bad short'),
			cell,
		];
	});
	return table(
		[pageWord('name', language), pageWord('state', language), pageWord('problem', language)],
		rows,
		language,
	);
}

/** The table of scans, the newest first. */
export function scanTable({ scans, timeZone }: DeskState, language: Language): Node {
	const time = new Intl.DateTimeFormat('sv-SE', { timeZone, hour: '2-digit', minute: '2-digit', second: '2-digit' });
	const rows = scans.map(({ atMs, lane, kind, verdict, reason }) => [
		element('td', time.format(atMs)),
		element('td', lane),
		element('td', factWord(kind, language)),
		element(
			'td',
			[verdict, ...(reason === undefined ? [] : [reason])].map((each) => factWord(each, language)).join(' · '),
			verdict === 'granted' ? 'good' : 'bad',
		),
	]);
	const heads = (['time', 'lane', 'kind', 'verdict'] as const).map((each) => pageWord(each, language));
	return table(heads, rows, language);
}

/** Cards of plain facts: gate, clock, sync, configuration, ledger. */
export function factCards({ gate, clock, venue, config, ledger }: DeskState, language: Language): readonly Node[] {
	const cards = Object.entries({ gate, clock, venue, config, ledger }) as [
		'gate' | 'clock' | 'venue' | 'config' | 'ledger',
		Facts | undefined,
	][];
	return cards.flatMap(([name, facts]) =>
		facts === undefined
			? []
			: [element('div', [element('h3', pageWord(name, language)), list(facts, language)], 'card')],
	);
}

/** Lines of the log, the newest first: the time, the event and its fields. */
export function logLines({ log, timeZone }: DeskState, language: Language): readonly Node[] {
	const time = new Intl.DateTimeFormat('sv-SE', { timeZone, hour: '2-digit', minute: '2-digit', second: '2-digit' });
	if (log.length === 0) return [element('p', pageWord('none', language))];
	return log.map((line) => {
		const { time: atMs, level, pid: _, event, msg, ...fields } = parsed(line);
		const rest = Object.entries(fields).map(
			([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
		);
		const text = [time.format(Number(atMs)), event ?? msg, ...rest].join(' ');
		return element('p', text, Number(level) >= 50 ? 'bad' : '');
	});
}

function parsed(line: string): Readonly<Record<string, unknown>> {
	try {
		return JSON.parse(line) as Record<string, unknown>;
	} catch {
		return { time: 0, level: 30, event: line };
	}
}

function list(facts: Facts, language: Language): HTMLElement {
	const told = Object.entries(facts).filter(([, value]) => value !== undefined && value !== '');
	return element(
		'dl',
		told.flatMap(([name, value]) => [
			element('dt', factWord(name, language)),
			element('dd', said(value, language), toneOf(name, value)),
		]),
	);
}

function said(value: Facts[string], language: Language): string {
	if (typeof value === 'boolean') return pageWord(value ? 'yes' : 'no', language);
	return typeof value === 'string' ? factWord(value, language) : String(value);
}

/** What somebody must look at. */
function toneOf(name: string, value: Facts[string]): string {
	const isBad =
		name === 'problem' ||
		name === 'refused' ||
		name === 'doubt' ||
		(name === 'fire' && value !== 'clear') ||
		((name === 'emergency' || name === 'listsStale') && value === true) ||
		((name === 'ok' || name === 'trusted') && value === false);
	return isBad ? 'bad' : '';
}

function table(heads: readonly string[], rows: readonly (readonly Node[])[], language: Language): HTMLElement {
	if (rows.length === 0) return element('p', pageWord('none', language));
	const head = element(
		'tr',
		heads.map((each) => {
			const cell = element('th', each);
			cell.setAttribute('scope', 'col');
			return cell;
		}),
	);
	return element('table', [
		element('thead', [head]),
		element(
			'tbody',
			rows.map((cells) => element('tr', cells)),
		),
	]);
}
