import { expect, test } from 'vitest';
import { isInWindow, wantedUpdate, windowBegin } from './update-window.ts';

test.each([
	['02:00-05:00', '02:00', true],
	['02:00-05:00', '04:59', true],
	['02:00-05:00', '05:00', false],
	['02:00-05:00', '01:59', false],
	['23:30-01:00', '23:45', true],
	['23:30-01:00', '00:59', true],
	['23:30-01:00', '12:00', false],
	['00:00-00:00', '12:00', true],
])('in the hours %s it may begin at %s: %s', (window, time, is) => {
	const wanted = wantedUpdate({ version: '1.0.0', window });
	expect(isInWindow(wanted, Date.parse(`2026-11-22T${time}:30+08:00`), 'Asia/Shanghai')).toBe(is);
	expect(windowBegin(wanted)).toBe(window.slice(0, 5));
});
