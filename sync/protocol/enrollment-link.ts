/** What a device needs to enroll: where, whom to trust, and the right to do it once. */
export interface EnrollmentLink {
	/** `https://host:port`. */
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
	if (match === null || url === undefined || !/^https:\/\/[^/?#]+$/.test(url)) return undefined;
	return { url, fingerprint, code: decoded(code) ?? '' };
}

function decoded(text: string): string | undefined {
	try {
		return decodeURIComponent(text);
	} catch {
		return undefined;
	}
}
