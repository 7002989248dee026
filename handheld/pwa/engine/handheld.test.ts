import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatTicketNumber } from '../../../gate-agent/core/check-digit.ts';
import { formatHandheldLink, readEnrollmentLink } from '../../../sync/protocol/enrollment-link.ts';
import type { Handheld, Verdict } from './handheld.ts';
import { type Device, evt, linkOf, pin, startWorld, until, type World } from './handheld-world.suite.ts';

let world: World;
let device: Device;
let handheld: Handheld;
beforeAll(async () => {
	world = await startWorld();
	await world.addStaff('chen', 'steward');
	await world.addStaff('li', 'supervisor');
	device = world.device('Handheld 1');
	handheld = await device.ready('chen');
}, 60_000);
afterAll(() => world.close(), 60_000);

/** The verdict as a granted one. */
function granted(verdict: Verdict): Verdict & { kind: 'granted' } {
	if (verdict.kind !== 'granted') throw new Error(JSON.stringify(verdict));
	return verdict;
}

function refusalOf(verdict: Verdict): unknown {
	return verdict.kind === 'refused' ? verdict.screen.refusal : verdict.kind;
}

const counters = () => {
	const state = handheld.state();
	return state.kind === 'working' ? state.counters : undefined;
};

describe('a handheld at its venue', () => {
	it('is enrolled by the code of an administrator, once, and signs with a key that nobody can read', async () => {
		const other = world.device('Handheld 2');
		const page = await other.open();
		expect(page.state()).toEqual({ kind: 'unenrolled' });
		expect(await page.enroll('https://example.org/', 'x')).toMatchObject({ problem: { why: 'bad_link' } });
		const link = await other.link();
		expect(
			await page.enroll(formatHandheldLink(readEnrollmentLink(link) ?? expect.fail(link)), 'Handheld 2'),
		).toMatchObject({ kind: 'done' });
		expect(page.state()).toMatchObject({ kind: 'signed_out', known: [] });
		const identity = (await other.keys.get('identity')) as { key: { sealed: CryptoKey } };
		expect(identity.key.sealed.extractable).toBe(false);
		const third = await world.device('Handheld 3').open();
		expect(await third.enroll(link, 'Handheld 3')).toMatchObject({ problem: { why: 'code_refused' } });
		expect(await page.scan('x')).toMatchObject({ screen: { refusal: { reason: 'lane_closed' } } });
	});

	it('admits a ticket on the authority’s word, and refuses it the second time with where and when', async () => {
		const { code, idx } = await world.ticket('adult');
		expect(await handheld.look(code)).toMatchObject({ verdict: 'admissible', shown: { idx } });
		const verdict = granted(await handheld.scan(code));
		expect(verdict).toMatchObject({ rung: 'authority', people: 1, left: 0, shown: { evt, idx, cls: 'adult' } });
		expect(refusalOf(await handheld.scan(code))).toMatchObject({
			reason: 'already_redeemed',
			lane: 'handheld-1',
			atMs: expect.any(Number),
		});
		const rows = (await device.rows()).filter((row) => 'ticket' in row && row.ticket === `${evt}/${idx}`);
		expect(rows.map(({ kind }) => kind)).toEqual(['granted', 'settled', 'denied']);
		expect(rows[0]).toMatchObject({ by: 'chen' });
		expect(await handheld.undo(verdict.undo?.redemptionId as never)).toMatchObject({ problem: { why: 'too_late' } });
	});

	it('undoes an admission, whose ticket then admits again', async () => {
		const { code, idx } = await world.ticket('adult');
		const before = counters()?.admitted ?? 0;
		const { undo } = granted(await handheld.scan(code));
		expect(counters()?.admitted).toBe(before + 1);
		expect(handheld.state()).toMatchObject({ undoable: [{ idx, people: 1 }] });
		expect(await handheld.undo(undo?.redemptionId as never)).toMatchObject({ kind: 'done' });
		expect(counters()?.admitted).toBe(before);
		expect(handheld.state()).toMatchObject({ undoable: [] });
		const settled = (await device.rows()).filter((row) => row.kind === 'settled').at(-1);
		expect(settled).toMatchObject({ outcome: 'not_taken', back: 1, by: 'chen' });
		await until('nothing that waits', () => linkOf(handheld)?.waiting === 0);
		expect(granted(await handheld.scan(code)).rung).toBe('authority');
	});

	it('asks how many of a group enter, and admits exactly those while enough are left', async () => {
		const { code } = await world.ticket('adult', { use: 10 });
		const first = await handheld.scan(code);
		expect(first).toMatchObject({ kind: 'ask', why: 'count', left: 10 });
		if (first.kind !== 'ask') return;
		expect(granted(await handheld.admit(first.ask, 8))).toMatchObject({ people: 8, left: 2, rung: 'authority' });
		expect(refusalOf(await handheld.admit(first.ask, 1))).toMatchObject({ why: 'not_confirmed' });
		const second = await handheld.scan(code);
		if (second.kind !== 'ask') throw new Error(JSON.stringify(second));
		expect(second.left).toBe(2);
		expect(refusalOf(await handheld.admit(second.ask, 3))).toMatchObject({ reason: 'no_uses_left', use: 10, left: 2 });
	});

	it('asks staff to confirm where the class says so, and redeems nothing before', async () => {
		const { code, idx } = await world.ticket('child', { seat: 'A-1' });
		const asked = await handheld.scan(code);
		expect(asked).toMatchObject({ kind: 'ask', why: 'confirm', screen: { cue: 'check_height', seat: 'A-1' } });
		expect((await device.rows()).some((row) => 'ticket' in row && row.ticket === `${evt}/${idx}`)).toBe(false);
		if (asked.kind === 'ask') granted(await handheld.admit(asked.ask, 1));
	});

	it('keeps no foreign code, and says what it was', async () => {
		const text = '130012345678901234';
		expect(refusalOf(await handheld.scan(text))).toEqual({ reason: 'not_a_ticket', code: 'payment_code' });
		const rows = await device.rows();
		expect(JSON.stringify(rows)).not.toContain(text);
		expect(rows.at(-1)).toMatchObject({ kind: 'denied', code: { kind: 'payment_code', length: 18 } });
	});

	it('lets a supervisor override, with name and reason, and nobody else', async () => {
		const { code, idx } = await world.ticket('adult');
		await handheld.scan(code);
		const refused = await handheld.scan(code);
		const ask = refused.kind === 'refused' ? (refused.override ?? 0) : 0;
		const by = { name: 'li', pin, reason: 'came back from first aid' };
		expect(await handheld.override(ask, { ...by, name: 'chen' })).toMatchObject({ problem: { why: 'not_supervisor' } });
		expect(await handheld.override(ask, { ...by, pin: '0000' })).toMatchObject({ problem: { why: 'wrong_pin' } });
		expect(await handheld.override(ask, by)).toMatchObject({ value: { kind: 'granted', rung: 'staff' } });
		expect(await handheld.override(ask, by)).toMatchObject({ problem: { why: 'too_late' } });
		const grants = (await device.rows()).filter((row) => row.kind === 'granted' && row.ticket === `${evt}/${idx}`);
		expect(grants[1]).toMatchObject({ rung: 'staff', by: 'li', reason: by.reason });
		await handheld.scan(code);
		const found = await until('a case of it', async () => {
			const { body } = await world.office('GET', '/cases');
			return JSON.stringify(body).includes('staff_override') && body;
		});
		expect(JSON.stringify(found)).toContain('double_entry');
	});

	it('admits a typed number on the rung staff, and visitors without a ticket, with who did it', async () => {
		const { idx } = await world.ticket('adult');
		const number = formatTicketNumber(idx);
		const wrong = { evt, number: `${number.slice(0, -1)}${(Number(number.at(-1)) + 1) % 10}`, cls: 'adult' };
		expect(await handheld.typed(wrong)).toMatchObject({ problem: { why: 'bad_number' } });
		expect(await handheld.typed({ evt, number, cls: 'adult' })).toMatchObject({
			value: { kind: 'granted', rung: 'staff' },
		});
		expect(await handheld.typed({ evt, number, cls: 'adult' })).toMatchObject({
			value: { screen: { refusal: { reason: 'already_redeemed' } } },
		});
		expect(await handheld.staffEntry({ cls: 'infant', count: 21, reason: 'x' })).toMatchObject({ kind: 'not_done' });
		expect(await handheld.staffEntry({ cls: 'infant', count: 2, reason: 'under one meter' })).toMatchObject({
			value: { kind: 'granted', people: 2, rung: 'staff' },
		});
		expect((await device.rows()).at(-1)).toMatchObject({ kind: 'staff_entry', operator: 'chen', count: 2 });
		expect(counters()?.withoutTicket).toBe(2);
	});

	it('writes an exit down where it stands at one', async () => {
		const { code } = await world.ticket('adult');
		granted(await handheld.scan(code));
		await handheld.setPost({ direction: 'exit', zone: 'main' });
		expect(await handheld.scan(code)).toMatchObject({ kind: 'exited' });
		expect(counters()?.left).toBe(1);
		await handheld.setPost({ direction: 'entry', zone: 'main' });
	});
});
