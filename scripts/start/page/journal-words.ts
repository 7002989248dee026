import type { AlarmKind, JournalRow } from '../../../gate-agent/core/redemption.ts';
import type { RefusalReason } from '../../../gate-agent/core/refusal.ts';
import { className } from '../../../gate-agent/core/texts.ts';
import { modeTexts, rungTexts, type Text } from './words.ts';

/** How a journal row looks to a person. */
export interface RowView {
	readonly mark: string;
	readonly tone: 'go' | 'stop' | 'wait' | 'quiet';
	readonly text: Text;
	/** Number of the ticket, where there is one. */
	readonly ticket?: string;
	/** How an admission was allowed. */
	readonly how?: Text;
}

const reasons: Readonly<Record<RefusalReason, Text>> = {
	unreadable: { zh: '未能识别', en: 'unreadable' },
	not_a_ticket: { zh: '不是门票', en: 'not a ticket' },
	bad_signature: { zh: '签名不对', en: 'bad signature' },
	unknown_key: { zh: '未知密钥', en: 'unknown key' },
	wrong_event: { zh: '其他活动', en: 'other event' },
	wrong_zone: { zh: '其他区域', en: 'other zone' },
	wrong_gate: { zh: '其他入口', en: 'other gate' },
	not_yet_valid: { zh: '未到时间', en: 'too early' },
	expired: { zh: '已过期', en: 'expired' },
	revoked: { zh: '已作废', en: 'revoked' },
	already_redeemed: { zh: '已使用', en: 'already used' },
	in_progress: { zh: '正在使用', en: 'in use' },
	no_uses_left: { zh: '次数用完', en: 'no uses left' },
	offline_refused: { zh: '离线拒绝', en: 'refused offline' },
	capacity: { zh: '满员', en: 'venue full' },
	lane_closed: { zh: '通道关闭', en: 'lane closed' },
	staff_needed: { zh: '需工作人员', en: 'staff needed' },
	clock_untrusted: { zh: '时钟不可信', en: 'clock untrusted' },
	ledger_error: { zh: '无法登记', en: 'not recorded' },
};

const alarms: Readonly<Record<AlarmKind, Text>> = {
	forced_open: { zh: '强行闯入', en: 'forced open' },
	open_too_long: { zh: '开启过久', en: 'open too long' },
	tamper: { zh: '机盖打开', en: 'lid open' },
	fire: { zh: '火警', en: 'fire' },
	emergency_open: { zh: '紧急开启', en: 'emergency open' },
	free_access: { zh: '自由通行', en: 'free access' },
	sensor_dead: { zh: '传感器失效', en: 'dead sensor' },
	unverified_limit: { zh: '未核验超限', en: 'unverified limit' },
	relay_failed: { zh: '继电器故障', en: 'relay failed' },
};

/** Says a row in both languages. */
export function viewOf(row: JournalRow): RowView {
	switch (row.kind) {
		case 'granted':
			return grantedView(row);
		case 'settled':
			return { ticket: row.ticket, ...settledView(row) };
		case 'denied':
			return {
				mark: '✕',
				tone: 'stop',
				...(row.ticket !== undefined && { ticket: row.ticket }),
				text: {
					zh: `拒绝：${reasons[row.reason].zh}${times(row.count)}`,
					en: `refused: ${reasons[row.reason].en}${times(row.count)}`,
				},
			};
		case 'exited':
			return { mark: '←', tone: 'quiet', ticket: row.ticket, text: { zh: '离场', en: 'left the venue' } };
		default:
			return laneView(row);
	}
}

type LaneRow = Exclude<JournalRow, { kind: 'granted' | 'settled' | 'denied' | 'exited' }>;

/** Rows that are about the lane and not about one ticket. */
function laneView(row: LaneRow): RowView {
	switch (row.kind) {
		case 'denied_many':
			return { mark: '✕', tone: 'stop', text: { zh: '大量拒绝，只计数', en: 'many refusals, only counted' } };
		case 'staff_entry':
			return {
				mark: '✓',
				tone: 'go',
				text: { zh: `工作人员放行${times(row.count)}`, en: `let in by staff${times(row.count)}` },
			};
		case 'passages':
			return passagesView(row);
		case 'relay_test':
			return { mark: '⚙', tone: 'quiet', text: { zh: '测试开门', en: 'relay test' } };
		case 'alarm':
			return {
				mark: '!',
				tone: row.on ? 'stop' : 'quiet',
				text: {
					zh: `${row.on ? '报警' : '解除'}：${alarms[row.alarm].zh}`,
					en: `alarm ${row.on ? 'on' : 'off'}: ${alarms[row.alarm].en}`,
				},
			};
		case 'lane':
			return {
				mark: '⚙',
				tone: row.emergency ? 'stop' : 'quiet',
				text: {
					zh: `通道模式：${modeTexts[row.mode].zh}${row.emergency ? '，紧急' : ''}`,
					en: `lane mode: ${modeTexts[row.mode].en}${row.emergency ? ', emergency' : ''}`,
				},
			};
		case 'released':
			return { mark: '↺', tone: 'quiet', text: { zh: '名额已退回', en: 'right given back' } };
		case 'started':
			return { mark: '▶', tone: 'quiet', text: { zh: '系统启动', en: 'agent started' } };
	}
}

function grantedView({ ticket, cls, uses, reentry, rung }: JournalRow & { kind: 'granted' }): RowView {
	const { zh, en } = className(cls) ?? { zh: cls, en: cls };
	const text = reentry
		? { zh: `再次入场：${zh}`, en: `let in again: ${en}` }
		: { zh: `已放行：${zh}${times(uses)}`, en: `granted: ${en}${times(uses)}` };
	return { mark: '✓', tone: 'go', ticket, text, how: rungTexts[rung] };
}

function settledView({ outcome, taken, of, back }: JournalRow & { kind: 'settled' }): Omit<RowView, 'ticket'> {
	const count = of > 1 ? ` ${taken}/${of}` : '';
	if (outcome === 'not_taken') {
		const text =
			back > 0
				? { zh: '无人通过，次数已退回', en: 'nobody passed, use given back' }
				: { zh: '无人通过', en: 'nobody passed' };
		return { mark: '↩', tone: 'wait', text };
	}
	const assumed = outcome === 'taken_assumed';
	return {
		mark: '→',
		tone: 'go',
		text: {
			zh: `已通过${count}${assumed ? '（推定）' : ''}`,
			en: `went through${count}${assumed ? ' (assumed)' : ''}`,
		},
	};
}

function passagesView({ during, count }: JournalRow & { kind: 'passages' }): RowView {
	const why: Readonly<Record<typeof during, Text>> = {
		free: { zh: '自由通行', en: 'free passage' },
		drop_arm: { zh: '落杆通行', en: 'passage with the arm down' },
		emergency: { zh: '紧急通行', en: 'passage in emergency' },
		forced: { zh: '无票闯入', en: 'passage without a ticket' },
	};
	const tone = during === 'forced' ? 'stop' : 'quiet';
	return { mark: '→', tone, text: { zh: why[during].zh + times(count), en: why[during].en + times(count) } };
}

function times(count: number): string {
	return count > 1 ? ` ×${count}` : '';
}
