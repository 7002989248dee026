import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from './cli.suite.ts';
import { startVenue, type Venue } from './venue.suite.ts';

/** A dozen commands, each a process of its own, on a machine that does other work. */
const patience = 180_000;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let venue: Venue;
beforeAll(async () => {
	folder = await temporaryFolder();
	venue = await startVenue(folder.path);
	await venue.login();
}, patience);
afterAll(async () => {
	expect(await venue.end()).toBe(0);
	await folder[Symbol.asyncDispose]();
}, patience);

describe('an administrator at the command line', () => {
	it('says who may sign in at handhelds, and never shows a PIN', { timeout: patience }, async () => {
		const add = ['staff', 'add', '--name', 'li.na', '--role', 'steward', '--pin-stdin'];
		const added = await venue.cli(add, '482913\n');
		expect(added).toMatchObject({ code: 0, err: '', out: 'li.na may sign in at handhelds as steward\n' });
		const again = await venue.cli(add, '482913\n');
		expect(again.err).toContain('staff_exists');
		expect(await venue.cli(add, '48 29\n')).toMatchObject({ code: 2, out: '' });
		expect((await venue.cli(add, '')).err).toContain('--pin-stdin takes one line');
		expect(await venue.cli(['staff', 'pin', '--name', 'li.na', '--pin-stdin', '--json'], '7777\n')).toMatchObject({
			code: 0,
			out: '{"name":"li.na","pinVersion":2}\n',
		});
		const person = { name: 'li.na', role: 'steward', pinVersion: 2 };
		expect(await venue.json(['staff', 'list'])).toEqual([{ ...person, status: 'active' }]);
		expect((await venue.cli(['staff', 'disable', '--name', 'li.na'])).out).toBe('li.na is disabled\n');
		expect((await venue.cli(['staff', 'list'])).out).toMatch(/^NAME.*\nli\.na +steward +disabled +2\n$/);
		expect((await venue.cli(['staff', 'enable', '--name', 'nobody'])).err).toContain('not_found');
		const acts = (await venue.json(['audit', 'list'])).map(({ act }) => act);
		expect(acts).toEqual(expect.arrayContaining(['staff.add', 'staff.pin', 'staff.status']));
	});
});
