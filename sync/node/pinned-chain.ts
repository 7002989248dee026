import { createHash, type X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { StilewardError } from '../../gate-agent/core/errors.ts';

/** The most certificates that are followed from a server's own to the pinned one. */
const chainMax = 5;

/** What a client knows of the server that it wants to reach. */
export interface Pin {
	/** SHA-256 of the pinned SPKI, base64url: of the venue's authority, or of the server's own certificate. */
	readonly fingerprint: string;
	/** Host name or address that the client asked for. */
	readonly host: string;
	/** Milliseconds since 1970; undefined while the clock is untrusted, and then dates are not looked at. */
	readonly nowMs: number | undefined;
}

/** What makes a chain untrusted, in words. */
const chainProblems = {
	no_certificate: 'it shows no certificate',
	other_host: 'its certificate is for another host',
	bad_signature: 'its chain is not signed as it says',
	other_key: 'its certificate does not lead to the pinned key',
	not_yet_valid: 'its certificate is not valid yet',
	expired: 'its certificate has expired',
} as const;

/** Why a chain is not trusted. */
export type ChainProblem = keyof typeof chainProblems;

/**
 * Follows a server's certificate to the pinned key and checks every signature on the way, the host and, with a
 * trusted clock, the dates. A device whose clock says 1970 must be able to learn the time from the server that it
 * pinned. Throws `server_untrusted`.
 */
export function checkChain(certificate: X509Certificate | undefined, pin: Pin): void {
	const problem = chainProblem(certificate, pin);
	if (problem === undefined) return;
	const why = chainProblems[problem];
	throw new StilewardError('server_untrusted', `the server at ${pin.host} is not trusted: ${why}`);
}

/** What `checkChain` refuses a chain for; undefined for one that is trusted. */
export function chainProblem(certificate: X509Certificate | undefined, pin: Pin): ChainProblem | undefined {
	if (certificate === undefined) return 'no_certificate';
	const host = isIP(pin.host) === 0 ? certificate.checkHost(pin.host) : certificate.checkIP(pin.host);
	return host === undefined ? 'other_host' : pathProblem(certificate, pin);
}

/** The same for the way to the pinned key alone, whatever host the certificate is for. */
export function pathProblem(
	certificate: X509Certificate,
	{ fingerprint, nowMs }: Pick<Pin, 'fingerprint' | 'nowMs'>,
): ChainProblem | undefined {
	let current = certificate;
	for (let depth = 0; depth < chainMax; depth += 1) {
		const dates = dateProblem(current, nowMs);
		if (dates !== undefined) return dates;
		if (spkiHash(current) === fingerprint) return undefined;
		const issuer: X509Certificate | undefined = current.issuerCertificate;
		// A self-signed certificate is its own issuer.
		if (issuer === undefined || issuer.fingerprint256 === current.fingerprint256) break;
		if (!issuer.ca || !current.verify(issuer.publicKey)) return 'bad_signature';
		current = issuer;
	}
	return 'other_key';
}

function dateProblem(certificate: X509Certificate, nowMs: number | undefined): ChainProblem | undefined {
	if (nowMs === undefined) return undefined;
	if (nowMs < Date.parse(certificate.validFrom)) return 'not_yet_valid';
	return nowMs > Date.parse(certificate.validTo) ? 'expired' : undefined;
}

function spkiHash(certificate: X509Certificate): string {
	const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
	return createHash('sha256').update(spki).digest('base64url');
}
