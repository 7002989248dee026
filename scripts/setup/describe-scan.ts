import { classifyForeign } from '../../gate-agent/core/foreign-code.ts';
import type { Scan } from '../../gate-agent/core/scan.ts';
import { readEnrollmentLink } from '../../sync/protocol/enrollment-link.ts';

/** A scan in words that anybody may read: a ticket is worth money, so that its text is none of them. */
export function describeScan(scan: Scan): string {
	if (scan.kind === 'unreadable') return `unreadable, ${scan.bytes} bytes`;
	const { text, aim } = scan;
	return `${classOf(text)}, ${text.length} characters${aim === undefined ? '' : `, AIM ${aim}`}`;
}

/** What kind of code a text is. */
export function classOf(text: string): string {
	if (text.startsWith('SW1:')) return 'compact ticket';
	if (readEnrollmentLink(text)) return 'enrollment code';
	return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text) ? 'JWS ticket' : classifyForeign(text);
}
