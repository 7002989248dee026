import type { LaneMode } from './lane-state.ts';
import type { Refusal } from './refusal.ts';
import type { ForeignKind } from './scan.ts';

/** One message in both languages: `[what happened, what to do]`. */
export interface Wording {
	readonly zh: readonly [title: string, advice: string];
	readonly en: readonly [title: string, advice: string];
}

/** Pictures that stand beside a message, so that color is never the only sign. */
export type SymbolName =
	| 'scan'
	| 'check'
	| 'arrow'
	| 'cross'
	| 'code'
	| 'used'
	| 'clock'
	| 'place'
	| 'staff'
	| 'hourglass'
	| 'barrier'
	| 'wrench'
	| 'exit';

/** A message and its picture. */
export interface Message {
	readonly symbol: SymbolName;
	readonly words: Wording;
}

/** How places and times are written in one language. `time` gives '' for a time outside the calendar. */
export interface Writer {
	readonly lane: (id: string) => string;
	readonly time: (ms: number) => string;
}

/** The writers of both languages. */
export interface Writers {
	readonly zh: Writer;
	readonly en: Writer;
}

/** What the visitor is told for a refusal. The journal's reason never appears in it. */
export function refusalMessage(refusal: Refusal, writers: Writers): Message {
	// The key and the argument come from the same union member, which the compiler cannot correlate.
	const write = refusalMessages[refusal.reason] as (refusal: Refusal, writers: Writers) => Message;
	return write(refusal, writers);
}

const foreignCodes: Readonly<Record<ForeignKind, Wording>> = {
	payment_code: {
		zh: ['这是付款码', '请出示门票二维码'],
		en: ['This is a payment code', 'Please show your ticket code'],
	},
	url: {
		zh: ['这是网页链接码', '请打开订单，出示门票二维码'],
		en: ['This code is a web link', 'Open your order and show the ticket code'],
	},
	digits: {
		zh: ['这是数字条码', '请出示门票二维码'],
		en: ['This is a number barcode', 'Please show your ticket code'],
	},
	other: {
		zh: ['这不是门票码', '请出示门票二维码'],
		en: ['This is not a ticket code', 'Please show your ticket code'],
	},
};

const anotherLane = ['请使用其他通道', 'Please use another lane'] as const;

/** Why a lane admits nobody, in the visitor's words. */
export const closedLane: Readonly<Record<LaneMode | 'out_of_service' | 'emergency', Message>> = {
	entry: {
		symbol: 'barrier',
		words: { zh: ['通道已关闭', anotherLane[0]], en: ['This lane is closed', anotherLane[1]] },
	},
	exit: {
		symbol: 'barrier',
		words: { zh: ['离场专用通道', '请使用入口通道'], en: ['This lane is exit only', 'Please use an entrance lane'] },
	},
	both: {
		symbol: 'barrier',
		words: { zh: ['通道已关闭', anotherLane[0]], en: ['This lane is closed', anotherLane[1]] },
	},
	free: {
		symbol: 'arrow',
		words: { zh: ['自由通行', '无需验票，请直接通过'], en: ['Walk right through', 'No ticket needed here'] },
	},
	locked: {
		symbol: 'barrier',
		words: { zh: ['通道已关闭', anotherLane[0]], en: ['This lane is closed', anotherLane[1]] },
	},
	drop_arm: {
		symbol: 'staff',
		words: {
			zh: ['人工验票', '请向工作人员出示门票'],
			en: ['Tickets are checked by hand', 'Please show yours to the staff'],
		},
	},
	out_of_service: {
		symbol: 'wrench',
		words: { zh: ['暂停服务', anotherLane[0]], en: ['Out of service', anotherLane[1]] },
	},
	emergency: {
		symbol: 'exit',
		words: {
			zh: ['紧急疏散', '请听从工作人员指挥，有序离开'],
			en: ['Emergency: please leave', 'Stay calm and follow the staff'],
		},
	},
};

const staffNeeded: Readonly<Record<(Refusal & { reason: 'staff_needed' })['why'], Wording>> = {
	not_confirmed: {
		zh: ['工作人员未确认', '请向工作人员咨询'],
		en: ['Not confirmed by the staff', 'Please speak to the staff'],
	},
	holder_bound: {
		zh: ['需核验持票人', '请向工作人员出示门票和证件'],
		en: ['The holder must be checked', 'Please show ticket and ID to the staff'],
	},
	unknown_class: {
		zh: ['需人工验票', '请向工作人员出示门票'],
		en: ['The staff must check this ticket', 'Please show it to the staff'],
	},
	unknown_session: {
		zh: ['需核对场次', '请向工作人员出示门票'],
		en: ['The staff must check the session', 'Please show your ticket to the staff'],
	},
	gate_replaced: {
		zh: ['本闸机刚更换，需人工验票', '请向工作人员出示门票'],
		en: ['New gate: the staff must check', 'Please show your ticket to the staff'],
	},
};

type Writes = { readonly [R in Refusal['reason']]: (refusal: Refusal & { reason: R }, writers: Writers) => Message };

function fixed(symbol: SymbolName, words: Wording): () => Message {
	const message = { symbol, words };
	return () => message;
}

const refusalMessages: Writes = {
	unreadable: fixed('code', {
		zh: ['未能识别', '请调亮屏幕，放稳后再试一次'],
		en: ['The code could not be read', 'Brighten the screen, hold still, try again'],
	}),
	not_a_ticket: ({ code }) => ({ symbol: 'code', words: foreignCodes[code] }),
	bad_signature: fixed('cross', {
		zh: ['门票验证失败', '请联系工作人员'],
		en: ['This ticket failed the check', 'Please see the staff'],
	}),
	unknown_key: fixed('cross', {
		zh: ['无法识别此门票', '请到售票处核对'],
		en: ['This ticket is not known here', 'Please ask at the ticket office'],
	}),
	wrong_event: fixed('cross', {
		zh: ['非本活动门票', '请核对票面上的活动'],
		en: ['This ticket is for another event', 'Check the event on your ticket'],
	}),
	wrong_zone: ({ zones }) => ({
		symbol: 'place',
		words: {
			zh: ['此票不能从这里进入', `请前往：${zones.map(placeName).join('、')}`],
			en: ['Not valid at this entrance', `Please go to: ${zones.map(placeName).join(', ')}`],
		},
	}),
	wrong_gate: ({ home }) => ({
		symbol: 'place',
		words: {
			zh: ['请走指定入口', home === undefined ? '请询问工作人员' : `请前往：${home}`],
			en: ['This ticket has its own entrance', home === undefined ? 'Please ask the staff' : `Please go to: ${home}`],
		},
	}),
	not_yet_valid: ({ fromMs }, { zh, en }) => ({
		symbol: 'clock',
		words: {
			zh: ['未到入场时间', withTime(zh.time(fromMs), (time) => `${time} 起可入场`, '请核对票面时间')],
			en: [
				'Too early for this ticket',
				withTime(en.time(fromMs), (time) => `Please come back from ${time}`, 'Check the time on your ticket'),
			],
		},
	}),
	expired: ({ untilMs }, { zh, en }) => ({
		symbol: 'clock',
		words: {
			zh: ['门票已过期', withTime(zh.time(untilMs), (time) => `有效期至 ${time}`, '请核对票面时间')],
			en: [
				'This ticket has expired',
				withTime(en.time(untilMs), (time) => `It was valid until ${time}`, 'Check the time on your ticket'),
			],
		},
	}),
	revoked: fixed('cross', {
		zh: ['门票已作废', '请到售票处咨询'],
		en: ['This ticket was canceled', 'Please ask at the ticket office'],
	}),
	already_redeemed: (refusal, writers) => ({
		symbol: 'used',
		words: {
			zh: ['此票已使用过', lastUse(refusal, writers).zh],
			en: ['This ticket was already used', lastUse(refusal, writers).en],
		},
	}),
	in_progress: ({ lane }, { zh, en }) => ({
		symbol: 'place',
		words: {
			zh: ['此票正在使用', `请从${zh.lane(lane)} 通过`],
			en: ['This ticket is in use', `Please go through at ${en.lane(lane)}`],
		},
	}),
	no_uses_left: (refusal, writers) => ({
		symbol: 'used',
		words: tooMany(refusal) ?? {
			// A number alone on a line would be read as something else.
			zh: [`${refusal.use}\u00a0次已用完`, lastUse(refusal, writers).zh],
			en: [`All ${refusal.use} admissions are used`, lastUse(refusal, writers).en],
		},
	}),
	offline_refused: fixed('staff', {
		zh: ['暂时无法核验此票', '请联系工作人员'],
		en: ['This ticket cannot be checked now', 'Please see the staff'],
	}),
	capacity: fixed('hourglass', {
		zh: ['场内人数已满', '请稍候，有人离场后即可入场'],
		en: ['The venue is full', 'Please wait until visitors leave'],
	}),
	lane_closed: ({ mode }) => closedLane[mode],
	staff_needed: ({ why }) => ({ symbol: 'staff', words: staffNeeded[why] }),
	clock_untrusted: fixed('staff', {
		zh: ['暂时无法核对时间', '请联系工作人员'],
		en: ['The time cannot be checked now', 'Please see the staff'],
	}),
	ledger_error: fixed('staff', {
		zh: ['暂时无法登记门票', '请联系工作人员'],
		en: ['The ticket cannot be recorded now', 'Please see the staff'],
	}),
};

/** More people than the ticket still carries. */
function tooMany({ use, left = 0 }: Refusal & { reason: 'no_uses_left' }): Wording | undefined {
	if (left === 0) return undefined;
	return {
		zh: [`仅剩\u00a0${left}\u00a0次`, `此票共 ${use} 次，请减少入场人数`],
		en: [
			`Only ${left} admission${left === 1 ? ' is' : 's are'} left`,
			`Of ${use} in all. Please let fewer people enter`,
		],
	};
}

/** Zones are named in small letters with underscores; a visitor reads words. */
function placeName(zone: string): string {
	return zone.replaceAll('_', ' ');
}

function withTime(time: string, write: (time: string) => string, otherwise: string): string {
	return time === '' ? otherwise : write(time);
}

/** Where and when the ticket was last used, as far as this gate knows. */
function lastUse(
	{ lane, atMs }: { readonly lane?: string; readonly atMs?: number },
	writers: Writers,
): { readonly zh: string; readonly en: string } {
	if (lane === undefined && atMs === undefined) return { zh: '请联系工作人员', en: 'Please see the staff' };
	const zh = [
		atMs === undefined ? '' : `${writers.zh.time(atMs)} `,
		lane === undefined ? '' : `在${writers.zh.lane(lane)} `,
	].join('');
	const en = [
		lane === undefined ? '' : `at ${writers.en.lane(lane)}`,
		atMs === undefined ? '' : writers.en.time(atMs),
	].filter((part) => part !== '');
	return { zh: `${zh}使用过，如有疑问请找工作人员`, en: `Used ${en.join(', ')}. Questions? See the staff` };
}
