import { describe, expect, it } from 'vitest';
import { type FindingCode, findingTexts, found, plainFinding, wordsOf } from './finding.ts';

const codes = Object.keys(findingTexts) as FindingCode[];

function factsIn(texts: readonly string[]): ReadonlySet<string> {
	return new Set(texts.flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '')));
}

describe('every code of a finding', () => {
	it.each(codes)(
		'%s has words in both languages that need the same facts, and a fix where somebody must act',
		(code) => {
			const { en, zh, state } = findingTexts[code];
			const needsFix = state === 'fault' || state === 'warning';
			expect([en.length, zh.length]).toEqual(needsFix ? [2, 2] : [1, 1]);
			// A hint of a server comes in English; Chinese has words of its own for it.
			const facts = (texts: readonly string[]) => [...factsIn(texts)].filter((name) => name !== 'hint').toSorted();
			expect(facts(zh)).toEqual(facts(en));
			expect(zh[0]).toMatch(/[\u4e00-\u9fff]/);
			expect(en.join()).not.toMatch(/[\u4e00-\u9fff]/);
		},
	);
});

describe('a finding', () => {
	it('is put into words with its subject and its facts', () => {
		const finding = found('device_absent', 'lane-1.scanner', { path: '/dev/ttyACM0', plugged: 'nothing' });
		expect(finding).toMatchObject({ check: 'devices', state: 'fault' });
		expect(wordsOf(finding, 'en')).toEqual({
			what: 'lane-1.scanner is not there: /dev/ttyACM0.',
			fix: 'Plug it in, or correct its path. Plugged in are: nothing.',
		});
		expect(wordsOf(finding, 'zh').what).toBe('找不到 lane-1.scanner：/dev/ttyACM0。');
		expect(plainFinding(finding).fix?.zh).toContain('nothing');
	});

	it('says why in its language where the reason is one of the table, and as it is otherwise', () => {
		const skipped = (why: string) => found('relay_skipped', 'lane-1.relay', { why });
		expect(wordsOf(skipped('not_running'), 'zh').what).toMatch(/未运行/);
		expect(wordsOf(skipped('not_running'), 'en').what).toContain('--devices');
		expect(wordsOf(skipped('no such port'), 'zh').what).toContain('no such port');
		expect(wordsOf(skipped('constructor'), 'en').what).toContain('constructor');
	});

	it('shows a dash for a fact that is missing, and never a brace', () => {
		expect(wordsOf(found('server_unreachable', 'https://a'), 'en').what).toBe('https://a cannot be reached (–).');
	});
});
