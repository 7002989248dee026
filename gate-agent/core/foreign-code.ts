import type { ForeignKind } from './scan.ts';

/**
 * What payment codes look like, as their publishers document them. A visitor who pays by phone all day shows the
 * payment code first, so it is the commonest wrong code at a gate.
 */
const paymentCodes: readonly RegExp[] = [
	/^1[0-5]\d{16}$/, // WeChat Pay: 18 digits beginning with 10 to 15
	/^(?:2[5-9]|30)\d{14,22}$/, // Alipay: 16 to 24 digits beginning with 25 to 30
	/^62\d{14,17}$/, // UnionPay: 16 to 19 digits beginning with 62
	/^(?:wxp|weixin|alipays?|upi|upwallet):\/\//i,
	/^https?:\/\/(?:qr|ds|mobilecodec|render)\.alipay\.com(?:[/?#:]|$)/i,
	/^https?:\/\/(?:wx|payapp\.wechatpay|payapp\.weixin|pay\.weixin)\.(?:tenpay\.com|cn|qq\.com)(?:[/?#:]|$)/i,
	/^https?:\/\/qr\.95516\.com(?:[/?#:]|$)/i,
	/^000201\d{2}/, // EMVCo merchant-presented mode
];

const url = /^(?:[a-z][a-z0-9+.-]{1,30}:\/\/|www\.)/i;

/** Says what a code that is no ticket looks like. Looks at the first 512 characters only; never throws. */
export function classifyForeign(text: string): ForeignKind {
	const head = text.trim().slice(0, 512);
	if (paymentCodes.some((pattern) => pattern.test(head))) return 'payment_code';
	if (url.test(head)) return 'url';
	return /^\d+$/.test(head) ? 'digits' : 'other';
}
