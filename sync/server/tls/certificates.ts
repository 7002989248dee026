import {
	createHash,
	createPrivateKey,
	createPublicKey,
	type KeyObject,
	type webcrypto,
	X509Certificate,
} from 'node:crypto';
import { isIP } from 'node:net';
// Before the library, which looks for it while it loads.
import './reflect-metadata.ts';
import * as x509 from '@peculiar/x509';

/** P-256 with SHA-256: the curve that every TLS library of the last ten years speaks. */
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

const dayMs = 86_400_000;

/** How long certificates are valid. Devices pin the authority's key, so the authority outlives the hardware. */
export const certificateDays = { authority: 30 * 365, server: 90 } as const;

/** Certificates begin this much earlier, because the clocks of a venue differ. */
const backdatedMs = dayMs;

/** A private key and its certificate, both PEM. */
export interface KeyAndCertificate {
	readonly key: string;
	readonly certificate: string;
}

/** Makes a private key: PKCS8 in PEM. */
export async function makePrivateKey(): Promise<string> {
	const { privateKey } = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
	return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY');
}

/** Makes the certificate of a venue's authority for its key. The pin depends on the key alone. */
export async function certifyAuthority(key: string, nowMs: number): Promise<string> {
	const keys = await keyPair(key);
	const certificate = await x509.X509CertificateGenerator.createSelfSigned({
		keys,
		name: 'CN=Stileward venue authority',
		serialNumber: serialNumber(),
		signingAlgorithm: algorithm,
		...validity(nowMs, certificateDays.authority),
		extensions: [
			new x509.BasicConstraintsExtension(true, 0, true),
			new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
			await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
		],
	});
	return `${certificate.toString('pem')}\n`;
}

/** What a server's certificate is for. */
export interface ServerName {
	/** PEM of the server's public key (SPKI). */
	readonly publicKey: string;
	/** Host names and addresses, at least one. */
	readonly hosts: readonly string[];
	readonly nowMs: number;
}

/** Signs a server's certificate with the venue's authority: for the server itself, or for a hub. Gives its PEM. */
export async function certifyServer(authority: KeyAndCertificate, server: ServerName): Promise<string> {
	const publicKey = new x509.PublicKey(server.publicKey);
	const issuer = new x509.X509Certificate(authority.certificate);
	const certificate = await x509.X509CertificateGenerator.create({
		publicKey,
		subject: 'CN=Stileward server',
		issuer: issuer.subject,
		signingKey: (await keyPair(authority.key)).privateKey,
		serialNumber: serialNumber(),
		signingAlgorithm: algorithm,
		...validity(server.nowMs, certificateDays.server),
		extensions: [
			new x509.BasicConstraintsExtension(false, undefined, true),
			new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
			new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
			new x509.SubjectAlternativeNameExtension(server.hosts.map(alternativeName)),
			await x509.SubjectKeyIdentifierExtension.create(publicKey),
			await x509.AuthorityKeyIdentifierExtension.create(issuer),
		],
	});
	return `${certificate.toString('pem')}\n`;
}

/** Requests a certificate for a key: a request (RFC 2986) that the key itself signs. Gives its PEM. */
export async function requestCertificate(key: string, hosts: readonly string[]): Promise<string> {
	const request = await x509.Pkcs10CertificateRequestGenerator.create({
		name: 'CN=Stileward server',
		keys: await keyPair(key),
		signingAlgorithm: algorithm,
		extensions: [new x509.SubjectAlternativeNameExtension(hosts.map(alternativeName))],
	});
	return `${request.toString('pem')}\n`;
}

/** The most hosts of one certificate. */
const hostsMax = 64;

/** Reads a request; undefined unless the key that it is for has signed it and it names hosts. */
export async function readCertificateRequest(
	pem: string,
): Promise<{ readonly publicKey: string; readonly hosts: readonly string[] } | undefined> {
	try {
		const request = new x509.Pkcs10CertificateRequest(pem);
		const named = request.extensions
			.filter((each) => each instanceof x509.SubjectAlternativeNameExtension)
			.flatMap(({ names }) => names.toJSON());
		const hosts = named.flatMap(({ type, value }) => (type === 'dns' || type === 'ip' ? [value] : []));
		const isWhole = hosts.length > 0 && hosts.length <= hostsMax && hosts.length === named.length;
		if (!isWhole || !(await request.verify())) return undefined;
		return { publicKey: request.publicKey.toString('pem'), hosts };
	} catch {
		// The library throws whatever it meets in a damaged request.
		return undefined;
	}
}

/** PEM of the public half of a private key. */
export function publicKeyOf(key: string): string {
	return createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'pem' }).toString();
}

/** What devices pin: SHA-256 of the key's SubjectPublicKeyInfo, base64url (as RFC 7469 hashes it). */
export function fingerprintOf(publicKey: KeyObject): string {
	return createHash('sha256')
		.update(publicKey.export({ type: 'spki', format: 'der' }))
		.digest('base64url');
}

/** The certificates of a PEM file in their order. Throws what OpenSSL says of a damaged one. */
export function readCertificates(pem: string): readonly X509Certificate[] {
	const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
	return blocks.map((block) => new X509Certificate(block));
}

function alternativeName(host: string): { type: 'ip' | 'dns'; value: string } {
	return { type: isIP(host) === 0 ? 'dns' : 'ip', value: host };
}

function validity(nowMs: number, days: number): { notBefore: Date; notAfter: Date } {
	return { notBefore: new Date(nowMs - backdatedMs), notAfter: new Date(nowMs + days * dayMs) };
}

function serialNumber(): string {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	// RFC 5280 §4.1.2.2: positive; a first byte of 1 to 127 is neither negative nor padded.
	bytes[0] = ((bytes[0] ?? 0) & 0x7e) | 1;
	return Buffer.from(bytes).toString('hex');
}

async function keyPair(key: string): Promise<webcrypto.CryptoKeyPair> {
	const privateDer = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' });
	const publicDer = createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'der' });
	const [privateKey, publicKey] = await Promise.all([
		crypto.subtle.importKey('pkcs8', new Uint8Array(privateDer), algorithm, false, ['sign']),
		crypto.subtle.importKey('spki', new Uint8Array(publicDer), algorithm, true, ['verify']),
	]);
	return { privateKey, publicKey };
}
