/** What a code that needs nobody means, in both languages. */
interface CalmText {
	readonly check: string;
	readonly state: 'ok' | 'skipped';
	readonly en: readonly [what: string];
	readonly zh: readonly [what: string];
}

/** What a code that somebody must look at means, and what to do, in both languages. */
interface AlarmingText {
	readonly check: string;
	readonly state: 'warning' | 'fault';
	readonly en: readonly [what: string, fix: string];
	readonly zh: readonly [what: string, fix: string];
}

/** The text of one code; `{subject}` and `{fact}` are filled in from its finding. */
export type FindingText = CalmText | AlarmingText;
