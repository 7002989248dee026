import { className } from '../../../gate-agent/core/texts.ts';
import type { StaffProblem } from '../engine/handheld.ts';
import { type Text, words } from './words.ts';

/** "8 of 10 enter now". */
export function enterNow(people: number, left: number): Text {
	return { zh: `${left} 人中的 ${people} 人入场`, en: `${people} of ${left} enter now` };
}

/** Uses that are left on a ticket. */
export function usesLeft(left: number): Text {
	return { zh: `剩余 ${left} 次`, en: `${left} use${left === 1 ? '' : 's'} left` };
}

/** People that were admitted at once. */
export function peopleAdmitted(people: number): Text {
	return { zh: `${people} 人`, en: `${people} ${people === 1 ? 'person' : 'people'}` };
}

/** Rows that the server does not have yet. */
export function rowsWaiting(waiting: number): Text {
	return { zh: `待传 ${waiting}`, en: `${waiting} to send` };
}

/** Age of the lists of used and revoked tickets. */
export function listAge(ageMs: number): Text {
	const { zh, en } = span(ageMs);
	return { zh: `名单 ${zh}前`, en: `lists ${en} old` };
}

/** When the server was reached last. */
export function lastSync(lastMs: number | undefined, nowMs: number): Text {
	if (lastMs === undefined) return words.never_synced;
	const { zh, en } = span(nowMs - lastMs);
	return { zh: `${zh}前同步`, en: `synced ${en} ago` };
}

/** How full the battery is. */
export function batteryLevel(percent: number, charging: boolean): Text {
	return {
		zh: `电量 ${percent}%${charging ? '，充电中' : ''}`,
		en: `battery ${percent}%${charging ? ', charging' : ''}`,
	};
}

/** Time that is left to undo or to wait. */
export function secondsLeft(ms: number): Text {
	const seconds = Math.max(0, Math.round(ms / 1000));
	return { zh: `${seconds} 秒`, en: `${seconds} s` };
}

/** A ticket class, by its name or else its code. */
export function classText(cls: string): Text {
	return className(cls) ?? { zh: cls, en: cls };
}

function span(ms: number): Text {
	const seconds = Math.max(0, Math.round(ms / 1000));
	if (seconds < 60) return { zh: `${seconds} 秒`, en: `${seconds} s` };
	const minutes = Math.floor(seconds / 60);
	if (minutes < 120) return { zh: `${minutes} 分钟`, en: `${minutes} min` };
	const hours = Math.floor(minutes / 60);
	return { zh: `${hours} 小时`, en: `${hours} h` };
}

/** What went wrong, and what staff can do about it. */
export function problemText(problem: StaffProblem, nowMs: number): Text {
	if (problem.why === 'locked') return lockedFor(problem.untilMs - nowMs);
	if (problem.why === 'ledger') {
		return { zh: '本机无法登记，请换用其他设备', en: 'This device cannot record it: use another one' };
	}
	return problemTexts[problem.why];
}

/** How long the PIN pad stays locked. */
export function lockedFor(ms: number): Text {
	const { zh, en } = secondsLeft(ms);
	return { zh: `PIN 多次错误，请等待 ${zh}`, en: `Too many wrong PINs: wait ${en}` };
}

type PlainProblem = Exclude<StaffProblem['why'], 'locked' | 'ledger'>;

const problemTexts: Readonly<Record<PlainProblem, Text>> = {
	wrong_pin: { zh: 'PIN 码不正确', en: 'The PIN is wrong' },
	unknown_here: { zh: '本机不认识此人，联网后再试', en: 'Not known on this device: try again online' },
	needs_server: { zh: '需要联网才能操作', en: 'This needs the server: try again online' },
	sign_in_again: { zh: '请重新登录', en: 'Please sign in again' },
	not_supervisor: { zh: '只有主管可以操作', en: 'Only a supervisor may do this' },
	too_late: { zh: '已超时，请重新扫码', en: 'Too late: scan again' },
	bad_link: { zh: '这不是登记码', en: 'This is no enrollment code' },
	code_refused: { zh: '登记码无效或已用过，请重新生成', en: 'The code is void or was used: ask for a new one' },
	wrong_server: { zh: '服务器身份不符，请联系技术人员', en: 'This is not the right server: call the technician' },
	not_found: { zh: '没有找到', en: 'Nothing was found' },
	bad_number: { zh: '票号或校验码有误，请核对', en: 'A digit is wrong: check the number' },
	server_refused: { zh: '服务器拒绝了此操作', en: 'The server refused it' },
};
