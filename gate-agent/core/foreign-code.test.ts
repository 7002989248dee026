import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classifyForeign } from './foreign-code.ts';

describe('a code that is no ticket', () => {
	test.each([
		['134567890123456789', 'WeChat Pay'],
		['101234567890123456', 'WeChat Pay, lowest prefix'],
		['286802346231637462', 'Alipay, 18 digits'],
		['2501234567890123', 'Alipay, 16 digits'],
		['301234567890123456789012', 'Alipay, 24 digits'],
		['6223901234567890123', 'UnionPay'],
		['wxp://f2f0abc', 'WeChat transfer'],
		['weixin://wxpay/bizpayurl?pr=abc', 'WeChat merchant'],
		['https://qr.alipay.com/fkx0123', 'Alipay'],
		['HTTPS://QR.ALIPAY.COM/FKX0123', 'Alipay in capitals'],
		['https://qr.95516.com/00010000/62', 'UnionPay'],
		['00020101021226', 'EMVCo merchant code'],
	])('is a payment code: %s (%s)', (text) => expect(classifyForeign(text)).toBe('payment_code'));

	test.each([
		['https://example.com/t/1', 'url'],
		['https://qr.alipay.com.evil.example/', 'url'],
		['www.example.com', 'url'],
		['6901234567892', 'digits'],
		['164567890123456789', 'digits'],
		['13456789012345678', 'digits'],
		['hello', 'other'],
		['', 'other'],
		['{"a":1}', 'other'],
		['东看台', 'other'],
	])('%s is %s', (text, kind) => expect(classifyForeign(text)).toBe(kind));

	test('is sorted at once, whatever it holds', () => {
		fc.assert(
			fc.property(fc.array(fc.nat(0xffff)), (units) => {
				const text = String.fromCharCode(...units);
				expect(['payment_code', 'url', 'digits', 'other']).toContain(classifyForeign(text));
			}),
		);
		const startMs = performance.now();
		classifyForeign('1'.repeat(1_000_000));
		classifyForeign(`https://${'a.'.repeat(500_000)}`);
		expect(performance.now() - startMs).toBeLessThan(100);
	});
});
