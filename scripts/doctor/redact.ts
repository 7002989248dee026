/**
 * What must never leave a gate in an archive for support, and what stands in its place. Texts are searched for all of
 * them, whatever file they are from: a secret may have been pasted anywhere.
 */
const secrets: readonly (readonly [pattern: RegExp, name: string])[] = [
	[/-----BEGIN [A-Z ]+-----[\s\S]*?(-----END [A-Z ]+-----|$)/g, 'pem'],
	[/SW1:[0-9A-Z $%*+\-./:]+/g, 'ticket'],
	[/stileward-enroll:v1\?\S+/g, 'enrollment'],
	[/\b[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{20,}/g, 'jws'],
	[/\b[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}\b/gi, 'code'],
	[/\b(bearer|basic)\s+\S+/gi, 'token'],
	[/:\/\/[^\s/@]+@/g, '://'],
	[
		/\b(pass(?:word|wd|phrase)?|secret|token|pin|code|key|api[_-]?key|authorization|psk)(["']?\s*[:=]\s*)(?!\[)("[^"]*"|'[^']*'|[^\s,;}]+)/gi,
		'value',
	],
	[/[\w.+-]+@[\w-]+\.[\w.-]+/g, 'mail'],
	[/(?<![0-9])(?:\+?86[- ]?)?1[3-9][0-9]{9}(?![0-9])/g, 'phone'],
	[/(?<![0-9])[1-9][0-9]{16}[0-9Xx](?![0-9])/g, 'identity'],
	[/(?<![0-9])[0-9]{14,19}(?![0-9])/g, 'digits'],
	// Keys and hashes in base64url or hexadecimal; ids of devices are as long, and are not needed either.
	[
		/(?<![A-Za-z0-9_/.-])(?=[A-Za-z0-9_-]*[0-9])(?=[A-Za-z0-9_-]*[A-Za-z])[A-Za-z0-9_-]{32,}(?![A-Za-z0-9_/.-])/g,
		'long',
	],
];

/** A text without secrets and personal data. */
export function redactText(text: string): string {
	return secrets.reduce(
		(rest, [pattern, name]) => rest.replaceAll(pattern, name === 'value' ? '$1$2[value]' : `[${name}]`),
		text,
	);
}

/** Members whose values are secrets whatever they look like. `keys` is the path of a folder, and stays. */
const secretName = /^(d|pass.*|.*secret.*|.*token.*|pin|code|psk|.*private.*|authorization|cookie)$/i;

/** Data without secrets and personal data: the same members, their texts redacted. */
export function redactValue(value: unknown): unknown {
	if (typeof value === 'string') return redactText(value);
	if (Array.isArray(value)) return value.map(redactValue);
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(
		Object.entries(value).map(([key, inner]) => {
			const isSecret = secretName.test(key) && typeof inner === 'string' && !isCodeOfOurs(key, inner);
			return [redactText(key), isSecret ? '[secret]' : redactValue(inner)];
		}),
	);
}

/** Codes of findings and errors are words: `device_absent`. */
function isCodeOfOurs(key: string, value: string): boolean {
	return key === 'code' && /^[a-z][a-z_]{2,40}$/.test(value);
}
