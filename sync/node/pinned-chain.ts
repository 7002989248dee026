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

/**
 * Follows a server's certificate to the pinned key and checks every signature on the way, the host and, with a
 * trusted clock, the dates. A device whose clock says 1970 must be able to learn the time from the server that it
 * pinned. Throws `server_untrusted`.
 */
export function checkChain(certificate: X509Certificate | undefined, pin: Pin): void {
	if (certificate === undefined) throw untrusted(pin, 'it shows no certificate');
	const host = isIP(pin.host) === 0 ? certificate.checkHost(pin.host) : certificate.checkIP(pin.host);
	if (host === undefined) throw untrusted(pin, 'its certificate is for another host');
	let current = certificate;
	for (let depth = 0; depth < chainMax; depth += 1) {
		checkDates(current, pin);
		if (spkiHash(current) === pin.fingerprint) return;
		const issuer: X509Certificate | undefined = current.issuerCertificate;
		// A self-signed certificate is its own issuer.
		if (issuer === undefined || issuer.fingerprint256 === current.fingerprint256) break;
		if (!issuer.ca || !current.verify(issuer.publicKey)) throw untrusted(pin, 'its chain is not signed as it says');
		current = issuer;
	}
	throw untrusted(pin, 'its certificate does not lead to the pinned key');
}

function checkDates(certificate: X509Certificate, pin: Pin): void {
	if (pin.nowMs === undefined) return;
	if (pin.nowMs < Date.parse(certificate.validFrom)) throw untrusted(pin, 'its certificate is not valid yet');
	if (pin.nowMs > Date.parse(certificate.validTo)) throw untrusted(pin, 'its certificate has expired');
}

function spkiHash(certificate: X509Certificate): string {
	const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
	return createHash('sha256').update(spki).digest('base64url');
}

function untrusted({ host }: Pin, why: string): StilewardError {
	return new StilewardError('server_untrusted', `the server at ${host} is not trusted: ${why}`);
}
