import type { LaneMode } from '../../../gate-agent/core/lane-state.ts';
import type { SampleName } from './practice-wire.ts';

/** A language of the page. */
export type Language = 'zh' | 'en';

/** A text in both languages. */
export interface Text {
	readonly zh: string;
	readonly en: string;
}

/** Texts of the page's own markup, by its `data-t` attributes, and of its states. */
export const texts = {
	practice: { zh: '练习通道', en: 'practice lane' },
	other_language: { zh: 'English', en: '中文' },
	tickets: { zh: '出示一张票', en: 'Present a ticket' },
	own_text: { zh: '或者扫任意内容', en: 'Or scan any text' },
	present: { zh: '扫码', en: 'Scan' },
	new_tickets: { zh: '换一批新票', en: 'Print new tickets' },
	link_ticket: { zh: '门票', en: 'Ticket' },
	link_scanner: { zh: '扫码器', en: 'Scanner' },
	link_decision: { zh: '判定', en: 'Decision' },
	link_relay: { zh: '继电器', en: 'Relay' },
	link_turnstile: { zh: '闸机', en: 'Turnstile' },
	link_journal: { zh: '流水', en: 'Journal' },
	lamps: { zh: '指示灯', en: 'Lamps' },
	pick_one: { zh: '请选一张', en: 'pick one' },
	own_code: { zh: '自选内容', en: 'own text' },
	connected: { zh: '已连接', en: 'connected' },
	missing: { zh: '未连接', en: 'unplugged' },
	undecided: { zh: '等待扫码', en: 'waiting' },
	closed_contact: { zh: '吸合', en: 'closed' },
	pulsed: { zh: '已发脉冲', en: 'pulsed' },
	at_rest: { zh: '断开', en: 'at rest' },
	is_open: { zh: '开', en: 'open' },
	is_shut: { zh: '关', en: 'shut' },
	rows: { zh: '条记录', en: 'rows' },
	gate: { zh: '看闸机', en: 'Watch the gate' },
	full_screen: { zh: '全屏显示', en: 'full screen' },
	display: { zh: '游客屏幕', en: 'Visitor display' },
	walk: { zh: '通过闸机', en: 'Walk through' },
	turn_back: { zh: '转身离开', en: 'Turn back' },
	walk_out: { zh: '离场', en: 'Walk out' },
	journal: { zh: '查流水', en: 'Read the journal' },
	staff_button: { zh: '工作人员确认', en: 'Staff: confirm' },
	mode: { zh: '通道模式', en: 'Lane mode' },
	trouble: { zh: '模拟故障', en: 'Make trouble' },
	fire: { zh: '火警', en: 'Fire alarm' },
	reset: { zh: '火警复位', en: 'Reset emergency' },
	force: { zh: '强行闯入', en: 'Force the arm' },
	tamper: { zh: '打开机盖', en: 'Open the lid' },
	unplug_scanner: { zh: '拔掉扫码器', en: 'Unplug scanner' },
	plug_scanner: { zh: '接回扫码器', en: 'Plug scanner in' },
	unplug_board: { zh: '拔掉继电器', en: 'Unplug relay' },
	plug_board: { zh: '接回继电器', en: 'Plug relay in' },
	open: { zh: '闸门已开：请通过，或者转身离开。', en: 'The gate is open: walk through, or turn back.' },
	shut: { zh: '闸门已关：请出示一张票。', en: 'The gate is shut: present a ticket.' },
	turned_back: {
		zh: '游客转身离开了。几秒后闸门自动关闭，门票次数退回。',
		en: 'The visitor turned back. In a few seconds the gate shuts and the ticket gets its use back.',
	},
	confirming: { zh: '闸机在等工作人员：请点“工作人员确认”。', en: 'The gate waits for staff: press "Staff: confirm".' },
	emergency: { zh: '紧急状态：闸门常开，不计门票。', en: 'Emergency: the gate stays open, no ticket is used.' },
	not_ready: {
		zh: '设备未连接，通道暂停服务；接回后几秒内自动恢复。',
		en: 'A device is unplugged: the lane is out of service until it is back.',
	},
	emergency_over: {
		zh: '火警已解除，紧急状态仍保持：请点“火警复位”。',
		en: 'The fire is out. The lane stays in emergency until you press "Reset emergency".',
	},
	passed: { zh: '已通过人数', en: 'Visitors through' },
	serial: {
		zh: '扫码器和继电器板在伪终端上，使用真实串口驱动',
		en: 'scanner and relay board on pseudo-terminals, real serial drivers',
	},
	simulated: { zh: '本系统不是 Linux：使用模拟设备', en: 'not Linux: simulated devices' },
	gone: { zh: '练习已停止。请重新运行 npm start。', en: 'The practice has ended. Run npm start again.' },
	stale: { zh: '此页属于上一次运行，请刷新。', en: 'This page belongs to an earlier run: reload it.' },
	unplugged: {
		zh: '扫码器已拔掉，读不到票。请点“接回扫码器”。',
		en: 'The scanner is unplugged and reads nothing. Press "Plug scanner in".',
	},
	failed: { zh: '操作没有成功，请再试一次。', en: 'That did not work. Please try again.' },
} as const satisfies Readonly<Record<string, Text>>;

/** Names of the lane's modes. */
export const modeTexts: Readonly<Record<LaneMode, Text>> = {
	entry: { zh: '入口', en: 'entry' },
	exit: { zh: '出口', en: 'exit' },
	both: { zh: '双向', en: 'both ways' },
	free: { zh: '自由通行', en: 'free (count only)' },
	locked: { zh: '关闭', en: 'locked' },
	drop_arm: { zh: '落杆，人工验票', en: 'arm down, handhelds' },
};

/** What each sample is, and what to look out for. */
export const sampleTexts: Readonly<Record<SampleName, { readonly title: Text; readonly about: Text }>> = {
	adult: {
		title: { zh: '成人票', en: 'Adult' },
		about: { zh: '有效，带座位。再扫一次试试', en: 'Valid, with a seat. Then try it again' },
	},
	used: {
		title: { zh: '用过的票', en: 'Used' },
		about: { zh: '已经入场一次', en: 'Somebody came in with it before' },
	},
	group: {
		title: { zh: '团体票，3 人', en: 'Group of 3' },
		about: { zh: '扫一次，逐个走过去', en: 'Scan once, enter one by one' },
	},
	child: {
		title: { zh: '儿童票', en: 'Child' },
		about: { zh: '开门并提示核对身高', en: 'Opens; staff check the height' },
	},
	student: {
		title: { zh: '学生票', en: 'Student' },
		about: { zh: '先等工作人员确认证件', en: 'Waits until staff checked the ID' },
	},
	tomorrow: {
		title: { zh: '明天的票', en: 'For tomorrow' },
		about: { zh: '还未到时间', en: 'Genuine, but too early' },
	},
	elsewhere: {
		title: { zh: '北门的票', en: 'For the north gate' },
		about: { zh: '不能从这里进', en: 'Genuine, but for another zone' },
	},
	forged: {
		title: { zh: '假票', en: 'Forged' },
		about: { zh: '签名改了一位', en: 'One bit of the signature is wrong' },
	},
	payment: {
		title: { zh: '付款码', en: 'Payment code' },
		about: { zh: '拿错了码', en: 'Not a ticket at all' },
	},
};
