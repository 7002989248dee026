import { deviceTexts } from './device-texts.ts';
import { gateTexts } from './gate-texts.ts';
import { machineTexts } from './machine-texts.ts';
import { reasonTexts } from './reason-texts.ts';
import { venueTexts } from './venue-texts.ts';

/** The closed list of what a check can find: its check, its state, what it means and what to do. */
export const findingTexts = { ...gateTexts, ...deviceTexts, ...machineTexts, ...venueTexts };

/** A stable name for one thing that a check can find. Programs branch on it, never on a text. */
export type FindingCode = keyof typeof findingTexts;

/** `warning`: works, and may not tomorrow. `fault`: somebody must act. `skipped`: could not be looked at, evidence says why. */
export type FindingState = 'ok' | 'warning' | 'fault' | 'skipped';

/** Facts that a finding stands on. Never a ticket, a key or the name of a person. */
export type Evidence = Readonly<Record<string, string | number | boolean>>;

/** What one check found of one subject: a lane's device, a path, a server. */
export interface Finding {
	readonly check: string;
	readonly state: FindingState;
	readonly code: FindingCode;
	readonly subject: string;
	readonly evidence: Evidence;
}

/** Languages of everything that a technician reads. */
export const languages = ['zh', 'en'] as const;
/** @see languages */
export type Language = (typeof languages)[number];

/** Makes a finding; check and state come from its code. */
export function found(code: FindingCode, subject: string, evidence: Evidence = {}): Finding {
	const { check, state } = findingTexts[code];
	return { check, state, code, subject, evidence };
}

/** A finding in words: what it is, and what to do where something is to be done. */
export interface FindingWords {
	readonly what: string;
	readonly fix?: string;
}

/** Puts a finding into words of a language. `{name}` in a text stands for the subject or a fact of the evidence. */
export function wordsOf({ code, subject, evidence }: Finding, language: Language): FindingWords {
	const facts: Evidence = { subject, ...evidence, why: reasonOf(evidence.why, language) };
	const fill = (text: string) => text.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(facts[name] ?? '–'));
	const [what, fix] = findingTexts[code][language] as readonly [string, string?];
	return { what: fill(what), ...(fix !== undefined && { fix: fill(fix) }) };
}

/** A reason of the table in words; whatever else it is stays as it is. */
function reasonOf(why: Evidence[string] | undefined, language: Language): string {
	return Object.hasOwn(reasonTexts, String(why))
		? reasonTexts[why as keyof typeof reasonTexts][language]
		: String(why ?? '–');
}

/** A finding as programs read it, with its words in both languages. */
export function plainFinding(finding: Finding) {
	const [zh, en] = languages.map((language) => wordsOf(finding, language)) as [FindingWords, FindingWords];
	return {
		...finding,
		what: { zh: zh.what, en: en.what },
		...(zh.fix !== undefined && en.fix !== undefined && { fix: { zh: zh.fix, en: en.fix } }),
	};
}
