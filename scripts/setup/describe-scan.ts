import type { Language } from '../../gate-agent/checks/finding.ts';
import { classifyForeign } from '../../gate-agent/core/foreign-code.ts';
import type { ForeignKind, Scan } from '../../gate-agent/core/scan.ts';
import { readEnrollmentLink } from '../../sync/protocol/enrollment-link.ts';

type ScanClass = 'compact ticket' | 'enrollment code' | 'JWS ticket' | ForeignKind;

const chinese: Readonly<Record<ScanClass, string>> = {
	'compact ticket': '紧凑票码',
	'enrollment code': '登记码',
	'JWS ticket': 'JWS 票码',
	payment_code: '付款码',
	url: '网址',
	digits: '数字',
	other: '其他码',
};

/** A scan in words that anybody may read: a ticket is worth money, so that its text is none of them. */
export function describeScan(scan: Scan, language: Language = 'en'): string {
	const isChinese = language === 'zh';
	if (scan.kind === 'unreadable') return isChinese ? `无法识别，${scan.bytes} 字节` : `unreadable, ${scan.bytes} bytes`;
	const { text, aim } = scan;
	const tail = aim === undefined ? '' : `, AIM ${aim}`;
	const kind = classOf(text);
	return isChinese ? `${chinese[kind]}，${text.length} 个字符${tail}` : `${kind}, ${text.length} characters${tail}`;
}

/** What kind of code a text is. */
export function classOf(text: string): ScanClass {
	if (text.startsWith('SW1:')) return 'compact ticket';
	if (readEnrollmentLink(text)) return 'enrollment code';
	return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text) ? 'JWS ticket' : classifyForeign(text);
}
