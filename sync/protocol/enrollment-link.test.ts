import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatEnrollmentLink, formatHandheldLink, readEnrollmentLink, readHandheldLink } from './enrollment-link.ts';

const link = { url: 'https://10.0.0.5:8443', fingerprint: 'F'.repeat(43), code: 'ABCDE-FGHJK-MNPQR-STVWX' };

/** The last ones are of this machine: no network is in between. */
const urls = [link.url, 'https://[fe80::1]:8443', 'http://127.0.0.1:8421', 'http://localhost:1', 'http://[::1]:65535'];

test('an enrollment link comes back as it was written, also with an IPv6 address and blanks around it', () => {
	for (const url of [...urls, 'https://tickets.example.org']) {
		expect(readEnrollmentLink(` ${formatEnrollmentLink({ ...link, url })}\n`)).toEqual({ ...link, url });
	}
});

test('another text is no enrollment link, whatever it is', () => {
	const text = formatEnrollmentLink(link);
	const others = [
		...['', 'https://10.0.0.5:8443', text.replace('v1', 'v2'), text.replace('https', 'http'), `${text}&x=1`],
		...[
			text.replace('F'.repeat(43), 'F'),
			text.replace('8443', '8443/path'),
			text.replace('%3A', '%ZZ'),
			'x'.repeat(999),
		],
	];
	for (const other of others) expect(readEnrollmentLink(other), other).toBeUndefined();
	fc.assert(fc.property(fc.string(), (noise) => readEnrollmentLink(`stileward-enroll:v1?${noise}`) === undefined));
});

test('a server without TLS is taken on loopback only', () => {
	const others = [
		'http://10.0.0.5:8443',
		'http://127.0.0.1.example.org',
		'http://localhost@example.org',
		'http://127.0.0.2',
	];
	for (const url of others) expect(readEnrollmentLink(formatEnrollmentLink({ ...link, url })), url).toBeUndefined();
});

test('a handheld is opened with its enrollment link in the fragment, which comes back as it was written', () => {
	for (const url of [...urls, 'https://tickets.example.org']) {
		const text = formatHandheldLink({ ...link, url });
		expect(text.startsWith(`${url}/handheld/#enroll=stileward-enroll`)).toBe(true);
		// What a browser sends to a server does not have it.
		expect(new URL(text)).toMatchObject({ pathname: '/handheld/', search: '' });
		expect(readHandheldLink(` ${text}\n`)).toEqual({ ...link, url });
	}
});

test('an address that leads to another server, or to something else, opens no enrollment', () => {
	const text = formatHandheldLink(link);
	const others = [
		...['', link.url, formatEnrollmentLink(link), text.replace('#enroll=', '?enroll='), `${text}%ZZ`],
		...[text.replace('10.0.0.5', '10.0.0.6'), text.replace('/handheld/', '/other/'), 'x'.repeat(9_999)],
	];
	for (const other of others) expect(readHandheldLink(other), other).toBeUndefined();
	fc.assert(
		fc.property(fc.string(), (noise) => readHandheldLink(`${link.url}/handheld/#enroll=${noise}`) === undefined),
	);
});
