/** What a device needs to enroll: where, whom to trust, and the right to do it once. */
export interface EnrollmentLink {
	/** `https://host:port`; on loopback, where the practice has its door, also `http://127.0.0.1:port`. */
	readonly url: string;
	/** SHA-256 of the pinned SPKI, base64url. */
	readonly fingerprint: string;
	readonly code: string;
}

const scheme = 'stileward-enroll:v1?';
const charsMax = 512;

/** The text of an enrollment QR code: `stileward-enroll:v1?server=…&fp=…&code=…`. */
export function formatEnrollmentLink({ url, fingerprint, code }: EnrollmentLink): string {
	return `${scheme}server=${encodeURIComponent(url)}&fp=${fingerprint}&code=${encodeURIComponent(code)}`;
}

/** Reads the text of an enrollment QR code; undefined for any other text. */
export function readEnrollmentLink(text: string): EnrollmentLink | undefined {
	const line = text.trim();
	if (line.length > charsMax || !line.startsWith(scheme)) return undefined;
	const match = /^server=([^&]+)&fp=([A-Za-z0-9_-]{43})&code=([A-Za-z0-9%-]{8,128})$/.exec(line.slice(scheme.length));
	const [, server = '', fingerprint = '', code = ''] = match ?? [];
	const url = decoded(server);
	if (match === null || url === undefined || !isServerUrl(url)) return undefined;
	return { url, fingerprint, code: decoded(code) ?? '' };
}

/** Without TLS only where no network is in between: browsers take that for as safe. */
function isServerUrl(url: string): boolean {
	return /^(https:\/\/[^/?#]+|http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?)$/.test(url);
}

/** Where every server of a venue has the handheld. */
export const handheldPath = '/handheld/';

/**
 * What a phone's camera opens to become a handheld: `https://host:port/handheld/#enroll=…`, the enrollment link in the
 * fragment, which browsers send to nobody.
 */
export function formatHandheldLink(link: EnrollmentLink): string {
	return `${link.url}${handheldPath}#enroll=${encodeURIComponent(formatEnrollmentLink(link))}`;
}

/**
 * Reads the address that a handheld was opened with; undefined for any other text, and where the link leads to another
 * server than the one that the page comes from.
 */
export function readHandheldLink(text: string): EnrollmentLink | undefined {
	const address = text.trim();
	const at = address.indexOf(handheldMark);
	if (address.length > 2 * charsMax || at < 0) return undefined;
	const link = readEnrollmentLink(decoded(address.slice(at + handheldMark.length)) ?? '');
	return link?.url === address.slice(0, at) ? link : undefined;
}

const handheldMark = `${handheldPath}#enroll=`;

function decoded(text: string): string | undefined {
	try {
		return decodeURIComponent(text);
	} catch {
		return undefined;
	}
}
