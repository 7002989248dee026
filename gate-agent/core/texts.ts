import { unreachable } from './errors.ts';
import type { LaneMode, Screen } from './lane-state.ts';
import type { Cue } from './policy.ts';
import {
	closedLane,
	type Message,
	refusalMessage,
	type SymbolName,
	type Wording,
	type Writer,
	type Writers,
} from './refusal-texts.ts';

/** `go` green, `stop` red, `wait` amber, `info` blue. */
export type Tone = 'go' | 'stop' | 'wait' | 'info';

/** What happened, and what to do. */
export interface Words {
	readonly title: string;
	readonly advice: string;
}

/** Everything that a display shows and says for one screen; it needs nothing else of the `Screen`. */
export interface ScreenText {
	readonly zh: Words;
	readonly en: Words;
	readonly tone: Tone;
	readonly symbol: SymbolName;
	readonly seat?: string;
	/** The advice is for staff and must catch their eye. */
	readonly cue?: Cue;
	/** A group run: how many have passed, of how many. */
	readonly progress?: { readonly taken: number; readonly of: number };
}

/** Where and when a text is read. */
export interface TextContext {
	/** IANA time zone of the venue. */
	readonly timeZone: string;
	/** Milliseconds since 1970: with it a time of the same venue day is written without its date. */
	readonly nowMs?: number;
}

/** The words of a screen in Chinese and English. Lanes and times are written as people say them. */
export function textOf(screen: Screen, context: TextContext): ScreenText {
	const { tone, words, symbol } = messageOf(screen, writersOf(context));
	return {
		zh: { title: words.zh[0], advice: words.zh[1] },
		en: { title: words.en[0], advice: words.en[1] },
		tone,
		symbol,
		...('seat' in screen && screen.seat !== undefined ? { seat: screen.seat } : {}),
		...('cue' in screen && screen.cue !== undefined ? { cue: screen.cue } : {}),
		...(screen.kind === 'granted' && screen.group !== undefined ? { progress: screen.group } : {}),
	};
}

type Toned = Message & { readonly tone: Tone };

function messageOf(screen: Screen, writers: Writers): Toned {
	switch (screen.kind) {
		case 'idle':
			return idle(screen.mode);
		case 'granted':
			return granted(screen);
		case 'refused':
			return { tone: 'stop', ...refusalMessage(screen.refusal, writers) };
		case 'wait_staff':
			return waitStaff(screen);
		case 'not_taken':
			return { tone: 'wait', symbol: screen.back ? 'scan' : 'staff', words: notTaken[screen.back ? 'back' : 'lost'] };
		case 'closed':
			return { tone: 'stop', ...closedLane[screen.mode] };
		case 'free':
			return { tone: 'go', ...closedLane.free };
		case 'emergency':
			// Escape routes are marked in green (ISO 7010).
			return { tone: 'go', ...closedLane.emergency };
		case 'out_of_service':
			return outOfService(screen.missing);
		case 'go_through':
		case 'please_wait':
			return plain[screen.kind];
		default:
			return unreachable(screen);
	}
}

const plain: Readonly<Record<'go_through' | 'please_wait', Toned>> = {
	go_through: {
		tone: 'go',
		symbol: 'arrow',
		words: {
			zh: ['请通过', '闸门已开，无需再次扫码'],
			en: ['Please go through', 'The gate is open; no need to scan again'],
		},
	},
	please_wait: {
		tone: 'wait',
		symbol: 'hourglass',
		words: {
			zh: ['请稍候', '请等前一位通过后再扫码'],
			en: ['One moment, please', 'Scan after the person ahead has passed'],
		},
	},
};

const notTaken: Readonly<Record<'back' | 'lost', Wording>> = {
	back: {
		zh: ['闸门已关，无人通过', '门票仍有效，请再次扫码'],
		en: ['Nobody went through', 'Your ticket is still valid: scan it again'],
	},
	lost: {
		zh: ['闸门已关，无人通过', '请联系工作人员'],
		en: ['Nobody went through', 'Please see the staff'],
	},
};

function idle(mode: LaneMode): Toned {
	if (mode === 'free') return { tone: 'go', ...closedLane.free };
	if (mode === 'locked' || mode === 'drop_arm') return { tone: 'stop', ...closedLane[mode] };
	const words: Wording =
		mode === 'exit'
			? {
					zh: ['离场请扫码', '将门票二维码对准扫码窗'],
					en: ['Scan your ticket to leave', 'Hold the code to the scanner'],
				}
			: { zh: ['请出示门票', '将二维码对准扫码窗'], en: ['Please show your ticket', 'Hold the code to the scanner'] };
	return { tone: 'info', symbol: 'scan', words };
}

/** Staff read it at a glance: what to look at before the visitor is past. */
const cueAdvice: Readonly<Record<Cue, readonly [zh: string, en: string]>> = {
	check_height: ['请核对身高', 'check the height'],
	check_id: ['请核对证件', 'check the ID'],
	check_card: ['请核对卡片', 'check the card'],
	assist: ['请协助通行', 'please assist'],
	welcome: ['请迎接贵宾', 'welcome the guest'],
};

/** A class's name in both languages. */
export interface ClassName {
	readonly zh: string;
	readonly en: string;
}

/** The name of a ticket class as visitors and staff know it; undefined where there is only its code. */
export function className(cls: string): ClassName | undefined {
	const [zh, en] = (Object.hasOwn(classNames, cls) ? classNames[cls] : undefined) ?? [];
	return zh === undefined || en === undefined ? undefined : { zh, en };
}

const classNames: Readonly<Record<string, readonly [zh: string, en: string]>> = {
	adult: ['成人票', 'Adult'],
	child: ['儿童票', 'Child'],
	senior: ['老人票', 'Senior'],
	student: ['学生票', 'Student'],
	annual: ['年卡', 'Annual pass'],
	group: ['团体票', 'Group'],
	family: ['家庭票', 'Family'],
	vip: ['贵宾票', 'VIP'],
	wheelchair: ['轮椅通行', 'Wheelchair'],
	staff: ['工作人员', 'Staff'],
};

function granted(screen: Screen & { kind: 'granted' }): Toned {
	const [zhAdvice, enAdvice] = grantedAdvice(screen);
	const words: Wording =
		screen.direction === 'exit'
			? { zh: ['请离场', zhAdvice], en: ['Goodbye, please go through', enAdvice] }
			: { zh: ['请进', zhAdvice], en: ['Welcome, please enter', enAdvice] };
	return { tone: 'go', symbol: 'check', words };
}

function grantedAdvice({ cls, cue, left, group, direction }: Screen & { kind: 'granted' }): readonly [string, string] {
	const name = className(cls);
	if (cue !== undefined) return forStaff(name, cueAdvice[cue]);
	if (group !== undefined) return named(name, ['请逐一通过', 'Please go through one by one']);
	if (direction === 'exit') return ['欢迎再来', 'See you again'];
	if (left !== undefined) return named(name, [`还可入场 ${left} 次`, `${left} more admission${left === 1 ? '' : 's'}`]);
	return named(name, ['闸门已开', 'The gate is open']);
}

function named(name: ClassName | undefined, advice: readonly [string, string]): readonly [string, string] {
	return name === undefined ? advice : [`${name.zh} · ${advice[0]}`, `${name.en} · ${advice[1]}`];
}

function forStaff(name: ClassName | undefined, ask: readonly [string, string]): readonly [string, string] {
	return name === undefined
		? [`工作人员：${ask[0]}`, `Staff: ${ask[1]}`]
		: [`${name.zh}：${ask[0]}`, `${name.en}: ${ask[1]}`];
}

function waitStaff({ cls, cue }: Screen & { kind: 'wait_staff' }): Toned {
	const name = className(cls);
	const ask = cue === undefined ? (['请确认', 'please confirm'] as const) : cueAdvice[cue];
	const [zh, en] = forStaff(name, ask);
	return {
		tone: 'wait',
		symbol: 'staff',
		words: { zh: ['请稍候，等待确认', zh], en: ['Please wait for the staff', en] },
	};
}

/** Parts of a lane as a technician calls them. */
const parts: Readonly<Record<string, readonly [zh: string, en: string]>> = {
	scanner: ['扫码器', 'scanner'],
	exit_scanner: ['出口扫码器', 'exit scanner'],
	relay: ['闸机继电器', 'gate relay'],
	inputs: ['传感器输入', 'sensor inputs'],
	feedback: ['灯和蜂鸣器', 'lamps and buzzer'],
	ledger: ['票务存储', 'ticket storage'],
	fire: ['消防信号', 'fire signal'],
};

/** A device is named by its place (`lane-1.scanner`, `relay-2`); people only need to know which part it is. */
function partName(device: string): readonly [zh: string, en: string] {
	const part = device.slice(device.lastIndexOf('.') + 1).replace(/-\d+$/, '');
	return (Object.hasOwn(parts, part) ? parts[part] : undefined) ?? ['设备', 'a device'];
}

/** The agent names itself as missing until its devices were asked for the first time. */
const starting: Toned = {
	tone: 'wait',
	symbol: 'hourglass',
	words: { zh: ['正在启动', '请稍候，马上就好'], en: ['Starting up', 'One moment, please'] },
};

function outOfService(missing: readonly string[]): Toned {
	const { symbol, words } = closedLane.out_of_service;
	if (missing.includes('starting')) return starting;
	const names = missing.filter((name) => name !== 'stopping').map(partName);
	if (names.length === 0) return { tone: 'stop', symbol, words };
	const zh = `${words.zh[1]}（未连接：${[...new Set(names.map(([zh]) => zh))].join('、')}）`;
	const en = `${words.en[1]} (not connected: ${[...new Set(names.map(([, en]) => en))].join(', ')})`;
	return { tone: 'stop', symbol, words: { zh: [words.zh[0], zh], en: [words.en[0], en] } };
}

/** The last millisecond that a calendar of ECMAScript can write. */
const calendarEndMs = 8.64e15;

function writersOf(context: TextContext): Writers {
	return { zh: writer('zh-CN', '通道 ', context), en: writer('en-US', 'lane ', context) };
}

function writer(locale: 'zh-CN' | 'en-US', word: string, { timeZone, nowMs }: TextContext): Writer {
	const written = (ms: number, options: Intl.DateTimeFormatOptions) =>
		new Intl.DateTimeFormat(locale, {
			timeZone,
			hour: '2-digit',
			minute: '2-digit',
			hourCycle: 'h23',
			...options,
		}).format(ms);
	const part = (ms: number, options: Intl.DateTimeFormatOptions) =>
		new Intl.DateTimeFormat('en-US', { timeZone, ...options }).format(ms);
	return {
		lane: (id) => id.replace(/^lane-(?=\d+$)/, word),
		time: (ms) => {
			if (!(Math.abs(ms) <= calendarEndMs)) return '';
			if (nowMs === undefined) return written(ms, { month: 'short', day: 'numeric' });
			if (part(ms, { dateStyle: 'short' }) === part(nowMs, { dateStyle: 'short' })) return written(ms, {});
			if (part(ms, { year: 'numeric' }) === part(nowMs, { year: 'numeric' }))
				return written(ms, { month: 'short', day: 'numeric' });
			return written(ms, { year: 'numeric', month: 'short', day: 'numeric' });
		},
	};
}
