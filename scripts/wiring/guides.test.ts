import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../gate-agent/config.ts';
import { modelNames } from '../../gate-agent/device-models.ts';
import { describeInBrowser } from '../../gate-agent/display/browser.suite.ts';
import { drawGuide, guideFile, guidesFolder, readGuides } from './guides.ts';
import { planDrawing } from './plan.ts';
import { planFaults } from './plan-faults.ts';
import { languages, terminalsOf } from './wiring.ts';

const guides = readGuides().map((guide) => [guide.name, guide] as const);
const inFolder = (file: string) => fileURLToPath(new URL(file, guidesFolder));
const gateFile = (gate: string) => inFolder(`../gates/${gate}`);
const models = [...modelNames('scanners'), ...modelNames('relays')];

function pageOf(name: string, language: (typeof languages)[number]): string {
	return readFileSync(inFolder(guideFile(name, language, 'md')), 'utf8');
}

/** Marks of the headings in their order: `#`, `##`, … */
function headingsOf(page: string): readonly string[] {
	return (page.match(/^#+ .+$/gm) ?? []).map((heading) => heading.replace(/ .*$/, ''));
}

/** How GitHub names the headings of a page in addresses. */
function anchorsOf(page: string): readonly string[] {
	return (page.match(/^#+ .+$/gm) ?? []).map((heading) =>
		heading
			.replace(/^#+ /, '')
			.toLowerCase()
			.replace(/[^\p{L}\p{N} _-]/gu, '')
			.replaceAll(' ', '-'),
	);
}

/** Links to files of this repository that lead nowhere. */
function deadLinks(page: string, folder = guidesFolder): readonly string[] {
	const links = [...page.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
	return links.filter((target) => {
		const [path = '', anchor] = target.split('#');
		if (/^https?:/.test(target)) return false;
		const file = path === '' ? undefined : fileURLToPath(new URL(path, folder));
		if (file !== undefined && !existsSync(file)) return true;
		return anchor !== undefined && file !== undefined && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor);
	});
}

/** What stands in code in the parts table, the first table of a guide: its models, and those that would do as well. */
function modelsOfParts(page: string): { readonly chosen: readonly string[]; readonly others: readonly string[] } {
	const lines = page.split('\n');
	const first = lines.findIndex((line) => line.startsWith('| --- |'));
	const rest = lines.slice(first + 1);
	const rows = rest.slice(
		0,
		rest.findIndex((line) => !line.startsWith('|')),
	);
	const codeIn = (column: number) =>
		rows.flatMap((row) => [...(row.split('|')[column] ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code));
	return { chosen: codeIn(2), others: codeIn(3) };
}

function valueAt(value: unknown, path: string): unknown {
	return path.split('.').reduce((at: unknown, key) => (at as Record<string, unknown> | undefined)?.[key], value);
}

describe.each(guides)('the guide %s', (name, guide) => {
	const { gate } = guide.wiring;

	it('is written in both languages, with the same headings', () => {
		const [english = '', chinese = ''] = languages.map((language) => pageOf(name, language));
		expect(headingsOf(chinese)).toEqual(headingsOf(english));
		expect(headingsOf(english).length).toBeGreaterThanOrEqual(7);
		expect(chinese).toMatch(/\p{Script=Han}{10}/u);
	});

	it.each(languages)('shows its diagram and its gate’s file in %s', (language) => {
		const page = pageOf(name, language);
		expect(page).toContain(`](${guideFile(name, language, 'svg')})`);
		expect(page).toContain(`](../gates/${gate})`);
		for (const other of languages.filter((each) => each !== language)) {
			expect(page).toContain(`](${guideFile(name, other, 'md')})`);
		}
	});

	it.each(languages)('leads to files and headings that exist in %s', (language) => {
		expect(deadLinks(pageOf(name, language))).toEqual([]);
	});

	it.each(languages)('names parts that are models in %s', (language) => {
		const { chosen, others } = modelsOfParts(pageOf(name, language));
		expect(chosen.toSorted()).toEqual(guide.wiring.models.toSorted());
		expect([...chosen, ...others].filter((model) => !models.includes(model))).toEqual([]);
	});

	it('has a gate’s file that the gate accepts', () => {
		expect(loadConfig({ file: gateFile(gate) }).lanes).toHaveLength(1);
	});

	it('draws the terminals that the gate’s file names', () => {
		const written: unknown = parse(readFileSync(gateFile(gate), 'utf8'));
		const drawn = [...terminalsOf(guide.wiring).values()].flatMap(({ terminal }) =>
			Object.entries(terminal.sets ?? {}),
		);
		expect(drawn.length).toBeGreaterThan(0);
		expect(drawn.map(([path]) => [path, valueAt(written, path)])).toEqual(drawn);
	});

	it('draws every contact, channel and lamp of the gate’s file', () => {
		const written: unknown = parse(readFileSync(gateFile(gate), 'utf8'));
		const drawn = [...terminalsOf(guide.wiring).values()].flatMap(({ terminal }) => Object.keys(terminal.sets ?? {}));
		const contacts = Object.keys((valueAt(written, 'lanes.0.inputs.contacts') ?? {}) as object);
		const wired = contacts.map((role) => `lanes.0.inputs.contacts.${role}.`);
		// On the hub's page the boards are a part of the network: their terminals are those of the other guides.
		if (name === 'venue-hub') return expect(wired).toHaveLength(3);
		expect(wired.filter((contact) => !drawn.some((path) => path.startsWith(contact)))).toEqual([]);
	});

	it.each(languages)('is drawn without wires on top of each other in %s', (language) => {
		expect(planFaults(planDrawing(guide.wiring, language))).toEqual([]);
	});

	it.each(languages)('has a drawing made from its data in %s', (language) => {
		const file = readFileSync(inFolder(guideFile(name, language, 'svg')), 'utf8');
		expect(file === drawGuide(guide, language), 'draw it anew: node scripts/config-schema.ts').toBe(true);
	});
});

describe('the folder of the guides', () => {
	it('has a diagram for every page, and lists every page', () => {
		const names = guides.map(([name]) => name);
		const pages = readdirSync(guidesFolder).filter((file) => file.endsWith('.md') && !file.startsWith('README'));
		expect(pages.toSorted()).toEqual(
			names.flatMap((name) => languages.map((language) => guideFile(name, language, 'md'))).toSorted(),
		);
		const readme = readFileSync(inFolder('README.md'), 'utf8');
		expect(pages.filter((page) => !readme.includes(`](${page})`))).toEqual([]);
		expect(deadLinks(readme)).toEqual([]);
	});

	it.each(['../README.md', '../../README.md', '../../README.zh-CN.md'])(
		'is reached from %s, whose links lead somewhere',
		(path) => {
			const file = new URL(path, guidesFolder);
			const page = readFileSync(file, 'utf8');
			expect(page).toContain('guides/');
			expect(deadLinks(page, file)).toEqual([]);
		},
	);
});

describeInBrowser('a drawing in a browser', (pages) => {
	const drawings = guides.flatMap(([name]) => languages.map((language) => guideFile(name, language, 'svg')));

	it.each(drawings)(
		'%s is well-formed, has a title, a description and a viewBox, and no text covers another',
		async (file) => {
			const page = await pages.open();
			await page.goto(new URL(file, guidesFolder).href);
			const seen = await page.evaluate(() => {
				const svg = document.documentElement;
				const texts = [...document.querySelectorAll('text')].map((text) => {
					const { x, y, width, height } = text.getBBox();
					// The line's height has room above and below its letters.
					return {
						text: text.textContent,
						left: x,
						right: x + width,
						top: y + height * 0.22,
						bottom: y + height * 0.82,
					};
				});
				const [, , width = 0, height = 0] = (svg.getAttribute('viewBox') ?? '').split(' ').map(Number);
				const covering = texts.flatMap((a, index) =>
					texts
						.slice(index + 1)
						.filter((b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
						.map((b) => `${a.text} / ${b.text}`),
				);
				const outside = texts.filter((each) => each.left < 0 || each.right > width || each.bottom > height);
				return {
					root: svg.localName,
					error: document.querySelector('parsererror')?.textContent ?? undefined,
					title: document.querySelector('svg > title')?.textContent ?? '',
					description: document.querySelector('svg > desc')?.textContent ?? '',
					covering,
					outside: outside.map(({ text }) => text),
					count: texts.length,
				};
			});
			expect(seen).toMatchObject({ root: 'svg', error: undefined, covering: [], outside: [] });
			expect(seen.title.length).toBeGreaterThan(4);
			expect(seen.description.length).toBeGreaterThan(30);
			expect(seen.count).toBeGreaterThan(10);
		},
	);

	it.each(['light', 'dark'] as const)(
		'is legible on %s: every text has a contrast of 4.5 to its paper or more',
		async (scheme) => {
			const page = await pages.open();
			await page.emulateMedia({ colorScheme: scheme });
			await page.goto(new URL(guideFile('turnstile-fire', 'en', 'svg'), guidesFolder).href);
			const contrasts = await page.evaluate(() => {
				const luminance = (color: string) => {
					const [r = 0, g = 0, b = 0] = (color.match(/\d+/g) ?? []).map((part) => {
						const share = Number(part) / 255;
						return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
					});
					return 0.2126 * r + 0.7152 * g + 0.0722 * b;
				};
				const fillOf = (element: Element | null) => (element ? luminance(getComputedStyle(element).fill) : 0);
				const papers = ['.paper', '.device', '.alarm'].map((paper) => fillOf(document.querySelector(paper)));
				return [...document.querySelectorAll('text')].flatMap((text) =>
					papers.map((paper) => {
						const [light = 0, dark = 0] = [fillOf(text), paper].toSorted((a, b) => b - a);
						return (light + 0.05) / (dark + 0.05);
					}),
				);
			});
			expect(Math.min(...contrasts)).toBeGreaterThanOrEqual(4.5);
		},
	);
});
