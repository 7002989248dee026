import type { LaneMode } from '../../../gate-agent/core/lane-state.ts';
import type { Rung } from '../../../gate-agent/core/redemption.ts';
import type { LaneId, SampleName } from './practice-wire.ts';

/** A language of the page. */
export type Language = 'zh' | 'en';

/** A text in both languages. */
export interface Text {
	readonly zh: string;
	readonly en: string;
}

/** Texts of the page's own markup, by its `data-t` attributes, and of its states. */
export const texts = {
	practice: { zh: '练习场', en: 'practice' },
	other_language: { zh: 'English', en: '中文' },
	story: { zh: '四步看懂', en: 'The story in four steps' },
	again: { zh: '换新票，再来一遍', en: 'Again, with new tickets' },
	once: { zh: '同一张票，两处同时出示', en: 'One ticket, both gates at once' },
	once_todo: { zh: '服务器只答应一台闸机。', en: 'The server says yes to one gate only.' },
	once_done: { zh: '只开了一台，另一台拒绝了。', en: 'One gate opened, the other refused.' },
	present_a: { zh: '两处出示 A 票', en: 'Present A at both' },
	refund_step: { zh: '退票', en: 'A refund' },
	refund_todo: { zh: '退掉 B 票，再去刷它。', en: 'Refund ticket B, then present it.' },
	refund_done: { zh: '闸机知道已退票，拒绝了。', en: 'The gate knew of the refund and refused.' },
	refund_b: { zh: '退 B 票', en: 'Refund B' },
	present_b: { zh: '出示 B 票', en: 'Present B' },
	cut_step: { zh: '网线断了', en: 'The cable is cut' },
	cut_todo: { zh: '游客不等网络：两台闸机自行放行。', en: 'Visitors do not wait: each gate decides on its own.' },
	cut_done: { zh: '两台都开了，已各自记账。', en: 'Both opened, and each wrote it down.' },
	cut_both: { zh: '剪断网线', en: 'Cut the cables' },
	present_c: { zh: '两处出示 C 票', en: 'Present C at both' },
	heal_step: { zh: '网线接好', en: 'The cable is joined' },
	heal_todo: {
		zh: '闸机上传流水，重复入场无处可藏。',
		en: 'The gates tell what they did, and the double entry shows.',
	},
	heal_wait: { zh: '闸机正在重连，需要几秒。', en: 'The gates look for the server: some seconds.' },
	heal_done: { zh: '服务器里多了一个事件，请处理它。', en: 'The server has a case. Close it with what you found out.' },
	heal_both: { zh: '接好网线', en: 'Join the cables' },
	tickets: { zh: '出示一张票', en: 'Present a ticket' },
	present_at: { zh: '在哪里', en: 'Where' },
	lane_1: { zh: '1 号', en: 'Lane 1' },
	lane_2: { zh: '2 号', en: 'Lane 2' },
	both_lanes: { zh: '两处同时', en: 'Both' },
	server: { zh: '票务服务器', en: 'The ticket server' },
	order: { zh: '订单', en: 'Order' },
	refund: { zh: '退票', en: 'Refund' },
	restore: { zh: '恢复', en: 'Restore' },
	cut: { zh: '剪断', en: 'Cut' },
	heal: { zh: '接好', en: 'Join' },
	cases: { zh: '待处理的事件', en: 'Cases' },
	no_cases: { zh: '没有重复入场。', en: 'No double entry.' },
	outcome: { zh: '结论', en: 'Outcome' },
	close_case: { zh: '结案', en: 'Close' },
	closed: { zh: '已结案：', en: 'Closed:' },
	handheld: { zh: '手持机', en: 'The handheld' },
	open_handheld: { zh: '打开手持机 ↗', en: 'Open the handheld ↗' },
	handheld_building: { zh: '页面正在构建，需要几秒。', en: 'Its page is being built: some seconds.' },
	handheld_failed: { zh: '页面没有构建成功，原因见日志。', en: 'Its page could not be built. The log says why.' },
	handheld_new: {
		zh: '在手机大小的新窗口里打开：起个名字，加入场馆。',
		en: 'Opens in a window of a phone’s size: give it a name and join.',
	},
	handheld_enrolled: {
		zh: '已加入场馆。换一个浏览器打开，就由它代替。',
		en: 'It has joined. Another browser that joins takes its place.',
	},
	handheld_cut: { zh: '服务器已断开：手持机自行判定。', en: 'The server is cut off: the handheld decides on its own.' },
	staff: { zh: '谁来登录', en: 'Who signs in' },
	steward: { zh: '检票员', en: 'checks tickets' },
	supervisor: { zh: '主管', en: 'may overrule' },
	copy_ticket: { zh: '复制一张票，到手持机上粘贴', en: 'Copy a ticket, and paste it at the handheld' },
	to_try: { zh: '试一试', en: 'Try this' },
	try_once: {
		zh: '同一张票：先在闸机刷，再到手持机上粘贴。',
		en: 'One ticket at a lane, then at the handheld: refused.',
	},
	try_cut: {
		zh: '点“剪断”，在手持机上验 C 票，再去闸机刷；接好后看事件。',
		en: 'Cut it off, paste C, present C at a lane; join it, and see the case.',
	},
	try_override: { zh: '被拒绝的票：主管输入 PIN 放行。', en: 'A refused ticket: the supervisor lets it in by PIN.' },
	own_text: { zh: '或者扫任意内容', en: 'Or scan any text' },
	present: { zh: '扫码', en: 'Scan' },
	new_tickets: { zh: '换一批新票', en: 'Print new tickets' },
	link_ticket: { zh: '门票', en: 'Ticket' },
	link_scanner: { zh: '扫码器', en: 'Scanner' },
	link_decision: { zh: '判定', en: 'Decision' },
	link_relay: { zh: '继电器', en: 'Relay' },
	link_turnstile: { zh: '闸机', en: 'Turnstile' },
	link_server: { zh: '服务器', en: 'Server' },
	chain: { zh: '一张票的路', en: 'The way of a ticket' },
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
	reachable: { zh: '可确认', en: 'answers' },
	out_of_reach: { zh: '联系不上', en: 'out of reach' },
	full_screen: { zh: '全屏显示', en: 'full screen' },
	display: { zh: '游客屏幕', en: 'Visitor display' },
	walk: { zh: '通过闸机', en: 'Walk through' },
	turn_back: { zh: '转身离开', en: 'Turn back' },
	walk_out: { zh: '离场', en: 'Walk out' },
	journal: { zh: '流水', en: 'Journal' },
	staff_button: { zh: '工作人员确认', en: 'Staff: confirm' },
	mode: { zh: '通道模式', en: 'Lane mode' },
	trouble: { zh: '模式与故障', en: 'Modes and trouble' },
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
	not_refunded: {
		zh: '这张票已经有人用它入场，不能退票。',
		en: 'Somebody came in with this ticket: it is not refunded.',
	},
	failed: { zh: '操作没有成功，请再试一次。', en: 'That did not work. Please try again.' },
} as const satisfies Readonly<Record<string, Text>>;

/** Names of the page's texts. */
export type TextKey = keyof typeof texts;

/** Names of the lanes. */
export const laneTexts: Readonly<Record<LaneId, Text>> = {
	'lane-1': { zh: '1 号通道', en: 'Lane 1' },
	'lane-2': { zh: '2 号通道', en: 'Lane 2' },
};

/** Names of the gates at the ends of the cables. */
export const gateTexts: Readonly<Record<LaneId, Text>> = {
	'lane-1': { zh: '1 号闸机', en: 'Gate 1' },
	'lane-2': { zh: '2 号闸机', en: 'Gate 2' },
};

/** The name of a lane, also of one that is not of the practice. */
export function laneText(lane: string): Text {
	return (laneTexts as Readonly<Record<string, Text>>)[lane] ?? { zh: lane, en: lane };
}

/** How admissions were allowed. */
export const rungTexts: Readonly<Record<Rung, Text>> = {
	authority: { zh: '服务器确认', en: 'server agreed' },
	local: { zh: '自行放行', en: 'gate alone' },
	home: { zh: '本机专属', en: 'home gate' },
	staff: { zh: '工作人员放行', en: 'by staff' },
};

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
		title: { zh: '成人票 A', en: 'Adult A' },
		about: { zh: '有效，带座位', en: 'Valid, with a seat' },
	},
	adult_b: {
		title: { zh: '成人票 B', en: 'Adult B' },
		about: { zh: '有效，可以退票', en: 'Valid; can be refunded' },
	},
	adult_c: {
		title: { zh: '成人票 C', en: 'Adult C' },
		about: { zh: '有效，断网时试试', en: 'Valid; try it offline' },
	},
	used: {
		title: { zh: '用过的票', en: 'Used' },
		about: { zh: '已经入场一次', en: 'Somebody is in with it' },
	},
	group: {
		title: { zh: '团体票，3 人', en: 'Group of 3' },
		about: { zh: '扫一次，逐个走过去', en: 'One scan, one by one' },
	},
	child: {
		title: { zh: '儿童票', en: 'Child' },
		about: { zh: '开门并提示核对身高', en: 'Opens with a cue to staff' },
	},
	student: {
		title: { zh: '学生票', en: 'Student' },
		about: { zh: '先等工作人员确认证件', en: 'Waits for staff to confirm' },
	},
	tomorrow: {
		title: { zh: '明天的票', en: 'For tomorrow' },
		about: { zh: '还未到时间', en: 'Genuine, but too early' },
	},
	elsewhere: {
		title: { zh: '北门的票', en: 'For the north gate' },
		about: { zh: '不能从这里进', en: 'Genuine, but elsewhere' },
	},
	forged: {
		title: { zh: '假票', en: 'Forged' },
		about: { zh: '签名改了一位', en: 'One wrong bit' },
	},
	payment: {
		title: { zh: '付款码', en: 'Payment code' },
		about: { zh: '拿错了码', en: 'Not a ticket at all' },
	},
};
