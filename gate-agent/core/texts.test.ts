import { expect, test } from 'vitest';
import type { LaneMode, Screen } from './lane-state.ts';
import type { Cue } from './policy.ts';
import type { Refusal } from './refusal.ts';
import { textOf } from './texts.ts';

const timeZone = 'Asia/Shanghai';
const atMs = Date.UTC(2026, 10, 22, 6, 3);

const refusals: { readonly [R in Refusal['reason']]: readonly (Refusal & { reason: R })[] } = {
	unreadable: [{ reason: 'unreadable' }],
	not_a_ticket: (['payment_code', 'url', 'digits', 'other'] as const).map((code) => ({ reason: 'not_a_ticket', code })),
	bad_signature: [{ reason: 'bad_signature' }],
	unknown_key: [{ reason: 'unknown_key' }],
	wrong_event: [{ reason: 'wrong_event', evt: 'spring-2027' }],
	wrong_zone: [{ reason: 'wrong_zone', zones: ['north_gate', 'south'] }],
	wrong_gate: [{ reason: 'wrong_gate' }, { reason: 'wrong_gate', home: 'East gate' }],
	not_yet_valid: [{ reason: 'not_yet_valid', fromMs: atMs }],
	expired: [{ reason: 'expired', untilMs: atMs }],
	revoked: [{ reason: 'revoked' }],
	already_redeemed: [
		{ reason: 'already_redeemed' },
		{ reason: 'already_redeemed', lane: 'lane-1' },
		{ reason: 'already_redeemed', atMs },
		{ reason: 'already_redeemed', lane: 'lane-1', atMs },
	],
	in_progress: [{ reason: 'in_progress', lane: 'lane-2' }],
	no_uses_left: [
		{ reason: 'no_uses_left', use: 10 },
		{ reason: 'no_uses_left', use: 10, lane: 'lane-1', atMs },
		{ reason: 'no_uses_left', use: 10, left: 1 },
		{ reason: 'no_uses_left', use: 10, left: 2 },
	],
	offline_refused: [{ reason: 'offline_refused' }],
	capacity: [{ reason: 'capacity' }],
	lane_closed: (['locked', 'drop_arm', 'exit', 'out_of_service', 'emergency'] as const).map((mode) => ({
		reason: 'lane_closed',
		mode,
	})),
	staff_needed: (['not_confirmed', 'holder_bound', 'unknown_class', 'unknown_session', 'gate_replaced'] as const).map(
		(why) => ({
			reason: 'staff_needed',
			why,
		}),
	),
	clock_untrusted: [{ reason: 'clock_untrusted' }],
	ledger_error: [{ reason: 'ledger_error' }],
};

const modes: readonly LaneMode[] = ['entry', 'exit', 'both', 'free', 'locked', 'drop_arm'];
const cues: readonly Cue[] = ['check_height', 'check_id', 'check_card', 'assist', 'welcome'];

const screens: readonly Screen[] = [
	...modes.flatMap((mode): Screen[] => [
		{ kind: 'idle', mode },
		{ kind: 'closed', mode },
	]),
	{ kind: 'granted', direction: 'entry', cls: 'adult', seat: 'A-12-8' },
	{ kind: 'granted', direction: 'exit', cls: 'adult' },
	{ kind: 'granted', direction: 'entry', cls: 'day_pass', left: 4 },
	{ kind: 'granted', direction: 'entry', cls: 'group', group: { taken: 3, of: 20 } },
	...cues.flatMap((cue): Screen[] => [
		{ kind: 'granted', direction: 'entry', cls: 'child', cue },
		{ kind: 'wait_staff', cls: 'child', cue },
	]),
	{ kind: 'wait_staff', cls: 'vip' },
	...Object.values(refusals)
		.flat()
		.map((refusal): Screen => ({ kind: 'refused', refusal })),
	{ kind: 'go_through' },
	{ kind: 'please_wait' },
	{ kind: 'not_taken', back: true },
	{ kind: 'not_taken', back: false },
	{ kind: 'free' },
	{ kind: 'emergency' },
	{ kind: 'out_of_service', missing: [] },
	{ kind: 'out_of_service', missing: ['scanner', 'relay'] },
	{ kind: 'out_of_service', missing: ['starting'] },
];

const codes = [
	...Object.keys(refusals),
	...modes,
	...cues,
	'payment_code',
	'out_of_service',
	'not_confirmed',
	'day_pass',
];

test.each(screens.map((screen) => [JSON.stringify(screen), screen] as const))(
	'says in both languages what happened and what to do: %s',
	(_name, screen) => {
		const { zh, en } = textOf(screen, { timeZone });
		expect(zh.title).toMatch(/\p{Script=Han}/u);
		expect(zh.advice).toMatch(/\p{Script=Han}/u);
		expect(en.title).toMatch(/^[A-Z]/);
		expect(en.advice).toMatch(/^[A-Za-z0-9]/);
		expect(en.title + en.advice).not.toMatch(/\p{Script=Han}/u);
		expect(zh.title.length).toBeLessThanOrEqual(12);
		expect(en.title.length).toBeLessThanOrEqual(34);
		const words = [zh.title, zh.advice, en.title, en.advice].join(' ');
		for (const code of codes.filter((code) => code.includes('_'))) expect(words).not.toContain(code);
		expect(words).not.toMatch(/undefined|null|NaN|\{|\}|_/);
	},
);

test('never lets a refusal look like a way in', () => {
	for (const screen of screens) {
		const go = ['granted', 'go_through', 'free', 'emergency'].includes(screen.kind);
		const free = screen.kind === 'idle' && screen.mode === 'free';
		if (screen.kind === 'closed' && screen.mode === 'free') continue;
		expect(textOf(screen, { timeZone }).tone === 'go', JSON.stringify(screen)).toBe(go || free);
	}
});

test('writes where and when a ticket was used, in the venue’s time and without the date of today', () => {
	const screen: Screen = { kind: 'refused', refusal: { reason: 'already_redeemed', lane: 'lane-1', atMs } };
	const today = textOf(screen, { timeZone, nowMs: atMs + 60_000 });
	expect(today.zh.advice).toBe('14:03 在通道 1 使用过，如有疑问请找工作人员');
	expect(today.en.advice).toBe('Used at lane 1, 14:03. Questions? See the staff');
	const tomorrow = textOf(screen, { timeZone, nowMs: atMs + 24 * 3_600_000 });
	expect(tomorrow.en.advice).toContain('Nov 22');
	expect(tomorrow.zh.advice).toContain('11月22日');
	expect(textOf(screen, { timeZone, nowMs: atMs + 366 * 24 * 3_600_000 }).en.advice).toContain('2026');
	expect(textOf(screen, { timeZone: 'Europe/Berlin', nowMs: atMs }).en.advice).toContain('07:03');
});

test('keeps a number with its unit, so that no line holds a number alone', () => {
	const title = textOf({ kind: 'refused', refusal: { reason: 'no_uses_left', use: 20 } }, { timeZone }).zh.title;
	expect(title).toBe('20\u00a0次已用完');
});

test('leaves out a time that no calendar can write', () => {
	const refusal: Refusal = { reason: 'expired', untilMs: Number.MAX_SAFE_INTEGER * 1000 };
	const { zh, en } = textOf({ kind: 'refused', refusal }, { timeZone });
	expect(en.advice).toBe('Check the time on your ticket');
	expect(zh.advice).toBe('请核对票面时间');
});

test('names a lane by its own name where it is not just numbered', () => {
	const inProgress = (lane: string) =>
		textOf({ kind: 'refused', refusal: { reason: 'in_progress', lane } }, { timeZone }).en.advice;
	expect(inProgress('lane-12')).toBe('Please go through at lane 12');
	expect(inProgress('South gate')).toBe('Please go through at South gate');
	const screen: Screen = { kind: 'refused', refusal: { reason: 'in_progress', lane: 'lane-12' } };
	expect(textOf(screen, { timeZone }).zh.advice).toBe('请从通道 12 通过');
});

test('hands seat, group progress and cue to the display', () => {
	const seated = textOf({ kind: 'granted', direction: 'entry', cls: 'adult', seat: 'A-12-8' }, { timeZone });
	expect(seated.seat).toBe('A-12-8');
	const run = textOf({ kind: 'granted', direction: 'entry', cls: 'group', group: { taken: 3, of: 20 } }, { timeZone });
	expect(run.progress).toEqual({ taken: 3, of: 20 });
	const child = textOf({ kind: 'granted', direction: 'entry', cls: 'child', cue: 'check_height' }, { timeZone });
	expect(child.cue).toBe('check_height');
});

test('shows no class whose code is not a name', () => {
	for (const cls of ['x17', 'constructor', '__proto__']) {
		expect(textOf({ kind: 'granted', direction: 'entry', cls }, { timeZone }).en.advice).toBe('The gate is open');
	}
});

test('tells staff which parts of the lane are missing', () => {
	const { zh, en } = textOf(
		{ kind: 'out_of_service', missing: ['lane-1.scanner', 'relay', 'lane-2.scanner', 'thing'] },
		{ timeZone },
	);
	expect(en.advice).toBe('Please use another lane (not connected: scanner, gate relay, a device)');
	expect(zh.advice).toBe('请使用其他通道（未连接：扫码器、闸机继电器、设备）');
});
