import type { Rung } from '../../../gate-agent/core/redemption.ts';
import type { CaseState, EntryState, LinkState, OrderSample, TicketState } from './practice-wire.ts';
import { type Language, laneText, rungTexts, sampleTexts, type Text } from './words.ts';

/** How a gate stands with the server, in a line. */
export function linkText({ cut, online, listAgeS, waiting }: LinkState, language: Language): string {
	const state = cut ? linkStates.cut : online ? linkStates.online : linkStates.searching;
	const zh = [state.zh, ...age(listAgeS, '名单', '秒前'), ...(waiting > 0 ? [`待上传 ${waiting} 条`] : [])];
	const en = [state.en, ...age(listAgeS, 'lists', 's old'), ...(waiting > 0 ? [`${waiting} rows waiting`] : [])];
	return (language === 'zh' ? zh : en).join(' · ');
}

const linkStates = {
	cut: { zh: '网线已断', en: 'cable cut' },
	online: { zh: '在线', en: 'online' },
	searching: { zh: '正在重连', en: 'looking for the server' },
} as const satisfies Readonly<Record<string, Text>>;

function age(seconds: number | undefined, name: string, unit: string): readonly string[] {
	return seconds === undefined ? [] : [`${name} ${seconds} ${unit}`];
}

/** Admissions of a gate by how they were allowed, and how the newest was. */
export function rungsText({ rungs, lastRung }: LinkState, language: Language): string {
	// A key of the record is a rung.
	const shown = (Object.keys(rungs) as Rung[]).filter(
		(rung) => rung === 'authority' || rung === 'local' || rungs[rung],
	);
	const counts = shown.map((rung) => `${rungTexts[rung][language]} ${rungs[rung]}`).join(' · ');
	if (lastRung === undefined) return counts;
	const last = rungTexts[lastRung][language];
	return language === 'zh' ? `${counts}\n最近一次：${last}` : `${counts}\nthe last: ${last}`;
}

/** What the server knows of a ticket. */
export function ticketText(
	{ refunded, used, held, entries }: TicketState,
	timeZone: string,
): { readonly text: Text; readonly tone: 'go' | 'stop' | 'wait' | 'quiet' } {
	const where = entries.map((entry) => entryText(entry, timeZone));
	const zh = where.map((text) => text.zh).join('\n');
	const en = where.map((text) => text.en).join('\n');
	if (refunded && entries.length > 0) {
		return { text: { zh: `已退票，却入了场：\n${zh}`, en: `refunded, and yet in:\n${en}` }, tone: 'stop' };
	}
	if (refunded) return { text: { zh: '已退票', en: 'refunded' }, tone: 'wait' };
	if (entries.length > 1) return { text: { zh: `重复入场：\n${zh}`, en: `used twice:\n${en}` }, tone: 'stop' };
	if (used && entries.length > 0) return { text: { zh: `已使用：${zh}`, en: `used: ${en}` }, tone: 'quiet' };
	if (used || held) return { text: { zh: '正在通过', en: 'somebody goes through' }, tone: 'wait' };
	return { text: { zh: '有效', en: 'valid' }, tone: 'go' };
}

/** Where, when and how somebody came in. */
export function entryText({ lane, rung, atMs }: EntryState, timeZone: string): Text {
	const time = new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'medium' }).format(atMs);
	const place = laneText(lane);
	// A server of another version may know more rungs than this page.
	const how = rungTexts[rung as Rung] ?? { zh: rung, en: rung };
	return { zh: `${place.zh} ${time}，${how.zh}`, en: `${place.en} ${time}, ${how.en}` };
}

const kinds: Readonly<Record<CaseState['kind'], Text>> = {
	double_entry: { zh: '一票两进', en: 'Double entry' },
	refunded_after_entry: { zh: '退票后入场', en: 'Entry on a refunded ticket' },
	cloned_device: { zh: '设备被复制', en: 'Copied device' },
	restored_disk: { zh: '磁盘被还原', en: 'Restored disk' },
};

const causes: Readonly<Record<CaseState['cause'], Text>> = {
	out_of_reach: {
		zh: '可能的原因：闸机联系不上服务器，按规则自行放行。',
		en: 'Likely cause: a gate could not reach the server and admitted by its rules.',
	},
	staff_override: { zh: '可能的原因：工作人员手动放行。', en: 'Likely cause: staff let somebody in by hand.' },
	claim_released: { zh: '可能的原因：名额退回之后有人入场。', en: 'Likely cause: a right was given back too early.' },
	not_told: { zh: '可能的原因：闸机还不知道退票。', en: 'Likely cause: the gate had not heard of the refund.' },
	key_copied: { zh: '可能的原因：设备密钥被复制。', en: 'Likely cause: a device key was copied.' },
	disk_restored: { zh: '可能的原因：设备磁盘被还原。', en: 'Likely cause: an old disk was put back.' },
};

/** What a case is about. */
export function caseText({ kind, cause, idx }: CaseState, sample: OrderSample | undefined) {
	const number = idx === undefined ? '' : ` № ${idx}`;
	const name = sample === undefined ? { zh: '', en: '' } : sampleTexts[sample].title;
	const title = (of: Text, language: Language) => `${of[language]} · ${name[language]}${number}`.replace('·  ', '· ');
	return { title: { zh: title(kinds[kind], 'zh'), en: title(kinds[kind], 'en') }, cause: causes[cause] };
}
