/** The two languages of the page. */
export type Language = 'zh' | 'en';

/** What is written on the page itself. */
export const pageWords = {
	title: ['闸机维护', 'Gate maintenance'],
	pin: ['维护 PIN 码（6 至 12 位数字）', 'Technician’s PIN (6 to 12 digits)'],
	signIn: ['登录', 'Sign in'],
	signOut: ['退出', 'Sign out'],
	otherLanguage: ['English', '中文'],
	toDark: ['深色', 'Dark'],
	toLight: ['日光', 'Sunlight'],
	lanes: ['通道', 'Lanes'],
	relayTest: ['测试开门', 'Relay test'],
	relayNote: [
		'开门一次，不要通过。测试会写入日志。火警或紧急开放时不能测试。',
		'Opens the gate once; do not walk through. It is written into the journal. Not during a fire or an emergency.',
	],
	isClear: ['闸机内无人', 'Nobody stands in the gate'],
	openEntry: ['开入口', 'Open for entry'],
	openExit: ['开出口', 'Open for exit'],
	devices: ['设备', 'Devices'],
	scans: ['最近扫码（不显示票码）', 'Last scans (never the code)'],
	facts: ['状态', 'State'],
	log: ['日志', 'Log'],
	live: ['实时', 'Live'],
	broken: ['与闸机的连接已断开，正在重试…', 'The connection to the gate is lost; trying again…'],
	none: ['无', 'None'],
	contacts: ['触点', 'Contacts'],
	yes: ['是', 'yes'],
	no: ['否', 'no'],
	gate: ['闸机', 'Gate'],
	clock: ['时钟', 'Clock'],
	venue: ['同步', 'Sync'],
	config: ['配置', 'Configuration'],
	ledger: ['账本', 'Ledger'],
	name: ['名称', 'Name'],
	state: ['状态', 'State'],
	problem: ['问题与处理', 'Problem and what to do'],
	time: ['时间', 'Time'],
	lane: ['通道', 'Lane'],
	kind: ['种类', 'Kind'],
	verdict: ['结果', 'Verdict'],
} as const satisfies Record<string, readonly [string, string]>;

/** What a sign-in or a test is answered with. */
export const answerWords = {
	wrong_pin: ['PIN 码错误', 'The PIN is wrong'],
	wait: ['尝试过多，请等待（秒）：', 'Too many tries. Wait, in seconds: '],
	failed: ['闸机没有回应', 'The gate does not answer'],
	pulsed: ['已开门一次', 'The relay was pulsed'],
	emergency: ['火警或紧急状态，或火警输入未知：不能测试', 'Fire or emergency, or the fire input is not known: no test'],
	in_use: ['有人正在通过', 'Somebody is on the way through'],
	not_clear: ['请锁定通道，或确认闸机内无人', 'Lock the lane, or confirm that nobody stands in the gate'],
	no_relay: ['继电器不可用', 'The relay is not there'],
	no_lane: ['没有这个通道', 'There is no such lane'],
	ledger: ['账本不能写入，未开门', 'The journal could not be written; nothing was opened'],
} as const satisfies Record<string, readonly [string, string]>;

/** Names and values that the gate tells, as people say them. What is not here is shown as it is. */
const factWords: Readonly<Record<string, readonly [string, string]>> = {
	...{ forced_open: ['强行通过', 'forced open'], open_too_long: ['长时间未关', 'open too long'] },
	...{ emergency_open: ['紧急开放', 'emergency open'], free_access: ['自由通行', 'free access'] },
	...{ sensor_dead: ['传感器失效', 'sensor dead'], unverified_limit: ['离线放行超限', 'limit of offline admissions'] },
	...{ relay_failed: ['继电器故障', 'relay failed'], whole: ['完整', 'whole'], damaged: ['损坏', 'damaged'] },
	...{ stopping: ['正在停止', 'stopping'], starting: ['正在启动', 'starting'], unchecked: ['未检查', 'unchecked'] },
	...{ entry: ['入口', 'entry'], exit: ['出口', 'exit'], both: ['双向', 'both ways'], free: ['自由通行', 'free'] },
	...{
		locked: ['锁定', 'locked'],
		drop_arm: ['落杆', 'arm down'],
		idle: ['空闲', 'idle'],
		passing: ['通行中', 'passing'],
	},
	...{
		checking: ['验票中', 'checking'],
		redeeming: ['核销中', 'redeeming'],
		confirming: ['等待工作人员', 'waits for staff'],
	},
	...{ clear: ['无火警', 'no fire'], active: ['火警', 'fire'], unknown: ['未知', 'not known'] },
	...{ working: ['传感器正常', 'sensor works'], none: ['无传感器', 'no sensor'], dead: ['传感器失效', 'sensor dead'] },
	...{
		ready: ['正常', 'ready'],
		absent: ['未找到', 'absent'],
		opening: ['打开中', 'opening'],
		degraded: ['异常', 'degraded'],
	},
	...{
		granted: ['放行', 'granted'],
		refused: ['拒绝', 'refused'],
		ticket: ['门票', 'ticket'],
		unreadable: ['无法识读', 'unreadable'],
	},
	...{
		payment_code: ['付款码', 'payment code'],
		url: ['网址', 'web address'],
		digits: ['数字', 'digits'],
		other: ['其他', 'other'],
	},
	...{ mode: ['模式', 'mode'], phase: ['阶段', 'phase'], fire: ['火警', 'fire'], emergency: ['紧急', 'emergency'] },
	...{ sensor: ['传感器', 'sensor'], missing: ['缺少', 'missing'], alarms: ['报警', 'alarms'] },
	...{ passage: ['通过', 'passage'], reverse: ['反向', 'reverse'], tamper: ['开箱', 'tamper'] },
	...{ staff_button: ['员工按钮', 'staff button'], emergency_reset: ['紧急复位', 'emergency reset'] },
	...{
		agent: ['名称', 'name'],
		ok: ['正常', 'works'],
		version: ['版本', 'version'],
		upMinutes: ['运行（分钟）', 'up, minutes'],
	},
	...{
		keys: ['密钥版本', 'key manifest'],
		trusted: ['可信', 'trusted'],
		epoch: ['时钟纪元', 'epoch'],
		doubt: ['疑问', 'doubt'],
	},
	...{
		venue: ['场馆', 'venue'],
		device: ['设备号', 'device'],
		server: ['服务器', 'server'],
		standing: ['身份', 'standing'],
	},
	...{ state: ['状态', 'state'], problem: ['问题', 'problem'], hint: ['处理', 'what to do'] },
	...{ waiting: ['待上传', 'rows that wait'], journal: ['日志', 'journal'], authority: ['核销服务器', 'authority'] },
	...{ listsStale: ['名单过期', 'lists are stale'], listAgeMinutes: ['名单（分钟前）', 'age of lists, minutes'] },
	...{ lostClaims: ['遗失的占用', 'lost claims'], online: ['在线', 'online'], offline: ['离线', 'offline'] },
	...{ reachable: ['可达', 'reachable'], out_of_reach: ['不可达', 'out of reach'], own: ['本机文件', 'own file'] },
	...{ trial: ['试用中', 'on trial'], confirmed: ['已确认', 'confirmed'], accepted: ['已接受', 'accepted'] },
	...{ pendingWrites: ['待写', 'writes that wait'], integrity: ['完整性', 'integrity'], rows: ['行数', 'rows'] },
	...{ denialsWaiting: ['待写拒绝', 'denials that wait'], setAside: ['已搁置', 'set aside'] },
	...{ already_redeemed: ['已使用', 'used already'], expired: ['已过期', 'expired'], revoked: ['已作废', 'revoked'] },
	...{
		not_a_ticket: ['不是门票', 'not a ticket'],
		bad_signature: ['签名无效', 'bad signature'],
		wrong_event: ['其他活动', 'other event'],
	},
	...{
		not_yet_valid: ['未到时间', 'not yet valid'],
		unknown_key: ['未知密钥', 'unknown key'],
		lane_closed: ['通道关闭', 'lane closed'],
	},
	...{
		in_progress: ['正在使用', 'in use elsewhere'],
		offline_refused: ['离线不放行', 'refused offline'],
		local: ['离线放行', 'on its own word'],
	},
	...{
		home: ['本机门票', 'home gate'],
		staff: ['员工', 'staff'],
		wrong_gate: ['其他闸机', 'other gate'],
		wrong_zone: ['其他区域', 'other zone'],
	},
};

/** A word of the page. */
export function pageWord(name: keyof typeof pageWords, language: Language): string {
	return pageWords[name][language === 'zh' ? 0 : 1];
}

/** What an answer is called; undefined for one that the page does not know. */
export function answerWord(name: string, language: Language): string | undefined {
	return Object.hasOwn(answerWords, name)
		? answerWords[name as keyof typeof answerWords][language === 'zh' ? 0 : 1]
		: undefined;
}

/** A name or a value of the gate in words. */
export function factWord(name: string, language: Language): string {
	return (Object.hasOwn(factWords, name) ? factWords[name] : undefined)?.[language === 'zh' ? 0 : 1] ?? name;
}
