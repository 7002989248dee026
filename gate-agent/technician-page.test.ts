import { mkdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Agent, startAgent } from './agent.ts';
import { checkConfig } from './config.ts';
import { parseConfig } from './config-source.ts';
import type { InputRole } from './core/device.ts';
import { describeInBrowser } from './display/browser.suite.ts';
import { openPty, type Pty } from './emulators/pty.ts';
import { initKeys } from './keys/key-folder.ts';
import { createRecent } from './recent.ts';
import { setPin } from './technician/pin.ts';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pictures = fileURLToPath(new URL('../.build/technician', import.meta.url));
const pin = '482913';
const patience = { timeout: 30_000, interval: 50 };

let dir: string;
let agent: Agent;
let scanner: Pty;
/** Closings of the gate's coil. */
let openings: number;
/** Moves a contact of the turnstile. */
let move: (role: InputRole, active: boolean) => void;

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), 'stileward-technician-'));
	const nowMs = Date.now();
	await initKeys({ dir: join(dir, 'keys'), nowMs });
	scanner = await openPty();
	await setPin(join(dir, 'data'), pin);
	openings = 0;
	const states: Partial<Record<InputRole, boolean>> = { passage: false, fire: false };
	const listeners = new Set<(role: InputRole, active: boolean) => void>();
	move = (role, active) => {
		states[role] = active;
		for (const tell of listeners) tell(role, active);
	};
	const text = `
agent: gate-1
event: opera
keys: ${join(dir, 'keys')}
data: ${join(dir, 'data')}
http: { port: 0 }
lanes:
  - id: lane-1
    scanner: { driver: serial-line, path: ${scanner.path}, suffix: cr }
    relay: { driver: simulated }
    inputs: { driver: simulated, contacts: { passage: {}, fire: {} } }
  - id: lane-2
    scanner: { driver: serial-line, path: /dev/nowhere }
    relay: { driver: simulated, channel: 2 }
`;
	const lines = createRecent<string>(50);
	agent = await startAgent(checkConfig(parseConfig('gate.yaml', text, [])), {
		log: pino({ base: null }, { write: (line: string) => lines.add(line.trimEnd()) }),
		clock: { systemMs: Date.now, monoMs: () => performance.now() },
		random: Math.random,
		version: '0.1.0',
		buildMs: nowMs - 1_000,
		lines: lines.list,
		simulation: {
			onCoil: (channel, closed) => {
				if (channel === 1 && closed) openings += 1;
			},
			contacts: {
				states: () => states,
				listen: (onChange) => {
					listeners.add(onChange);
					return () => void listeners.delete(onChange);
				},
			},
		},
	});
	await expect.poll(() => agent.health().lanes['lane-1']?.missing, patience).toEqual([]);
}, 60_000);
afterEach(async () => {
	await agent.close();
	await scanner.close();
	await rm(dir, { recursive: true, force: true });
});

describeInBrowser('the technician’s page of a gate', (pages) => {
	interface Opening {
		readonly language?: 'zh' | 'en';
		readonly theme?: 'dark' | 'light';
		readonly viewport?: { readonly width: number; readonly height: number };
	}

	/** Opens the page; a broken rule of its content policy fails the test as an error of the script does. */
	async function open({ language = 'en', theme = 'light', viewport }: Opening = {}) {
		const page = await pages.open(viewport ?? { width: 1280, height: 900 });
		const problems: string[] = [];
		page.on('pageerror', (error) => problems.push(String(error)));
		page.on('console', (message) => {
			// A session that is not there yet, or a wrong PIN, is an ordinary answer.
			if (message.type() === 'error' && !/status of (401|403)/.test(message.text())) problems.push(message.text());
		});
		await page.addInitScript(`
			localStorage.setItem('stileward.technician.language', '${language}');
			localStorage.setItem('stileward.technician.theme', '${theme}');`);
		await page.goto(`${agent.url}/technician`);
		await page.locator('#pin').waitFor();
		return { page, problems };
	}

	/** With the keyboard alone. */
	async function signIn(page: Page, text = pin): Promise<void> {
		await expect.poll(() => page.evaluate('document.activeElement.id'), patience).toBe('pin');
		await page.keyboard.type(text);
		await page.keyboard.press('Enter');
	}

	/** What axe-core finds wrong, at the contrast of AAA. Its script enters through the debugger, past the page's policy. */
	async function faults(page: Page): Promise<unknown> {
		await page.evaluate(axeSource);
		return page.evaluate(`axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag2aaa', 'wcag21aa', 'wcag22aa', 'best-practice'] })
			.then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map((n) => n.html).join(' | ')))`);
	}

	const picture = (page: Page, name: string) => {
		mkdirSync(pictures, { recursive: true });
		return page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
	};

	test('signs in with the keyboard and shows lanes, devices, contacts, scans and the log as they are', async () => {
		const { page, problems } = await open();
		expect(await faults(page)).toEqual([]);
		await signIn(page, '000111');
		await expect.poll(() => page.textContent('#pin-problem'), patience).toBe('The PIN is wrong');
		await signIn(page);
		await expect.poll(() => page.textContent('#link'), patience).toBe('Live');
		await expect.poll(() => page.textContent('#devices'), patience).toMatch(/lane-2\.scanner.*absent.*nowhere/);
		expect(await page.textContent('#gate')).toBe('gate-1 · 0.1.0');
		await scanner.write('134567890123456789\r');
		await expect.poll(() => page.textContent('#scans'), patience).toMatch(/lane-1payment coderefused · not a ticket/);
		expect(await page.content()).not.toContain('134567890123456789');
		move('passage', true);
		await expect.poll(() => page.getAttribute('.contacts li:first-child', 'data-closed'), patience).toBe('true');
		move('passage', false);
		await expect.poll(() => page.getAttribute('.contacts li:first-child', 'data-closed'), patience).toBe('false');
		await expect.poll(() => page.textContent('#log'), patience).toContain('denied lane=lane-1');
		expect(await faults(page)).toEqual([]);
		await picture(page, 'sunlight-en');
		await page.getByRole('button', { name: 'Sign out' }).click();
		await page.locator('#pin').waitFor();
		expect(await page.textContent('#log')).toBe('');
		expect(problems).toEqual([]);
	});

	test('tests the relay of a lane that is clear or locked, never during a fire, and the journal says who', async () => {
		const { page, problems } = await open();
		await signIn(page);
		const press = () => page.getByRole('button', { name: 'lane-1: Open for entry' }).click();
		const result = () => page.textContent('#relay-result');
		await page.getByRole('button', { name: 'lane-1: Open for entry' }).waitFor();
		await press();
		await expect.poll(result, patience).toBe('lane-1: Lock the lane, or confirm that nobody stands in the gate');
		await page.getByRole('group', { name: 'lane-1' }).getByLabel('Nobody stands in the gate').check();
		await press();
		await expect.poll(result, patience).toBe('lane-1: The relay was pulsed');
		// It is said for one opening, not for the next.
		await press();
		await expect.poll(result, patience).toContain('Lock the lane');
		agent.command('lane-1', { kind: 'set_mode', mode: 'locked', by: 'mina' });
		await expect.poll(() => page.textContent('#lanes'), patience).toContain('locked');
		await press();
		await expect.poll(result, patience).toBe('lane-1: The relay was pulsed');
		expect(openings).toBe(2);
		move('fire', true);
		await expect.poll(() => page.textContent('#lanes'), patience).toContain('firefire');
		await press();
		await expect.poll(result, patience).toMatch(/^lane-1: Fire or emergency/);
		const rows = (await agent.ledger.rows(0, 1_000)).filter(({ kind }) => kind === 'relay_test');
		expect(rows).toMatchObject(Array(2).fill({ lane: 'lane-1', direction: 'entry', by: 'technician' }));
		expect(problems).toEqual([]);
	});

	test.each([
		['zh', 'dark', { width: 390, height: 844 }],
		['zh', 'light', { width: 1280, height: 900 }],
		['en', 'dark', { width: 1280, height: 900 }],
	] as const)('reads well in %s, %s, at %j', async (language, theme, viewport) => {
		const { page, problems } = await open({ language, theme, viewport });
		await signIn(page);
		await expect.poll(() => page.textContent('#link'), patience).toBe(language === 'zh' ? '实时' : 'Live');
		await page.locator('#devices table').waitFor();
		expect(await page.getAttribute('html', 'lang')).toBe(language === 'zh' ? 'zh-CN' : 'en');
		expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
		expect(await faults(page)).toEqual([]);
		await picture(page, `${language}-${theme}-${viewport.width}`);
		await page.locator('#language').click();
		await expect.poll(() => page.textContent('h1'), patience).toBe(language === 'zh' ? 'Gate maintenance' : '闸机维护');
		expect(problems).toEqual([]);
	});
});
