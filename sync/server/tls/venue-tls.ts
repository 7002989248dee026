import { createPrivateKey, type X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { makePrivateFolder, publicMode, readIfThere, secretMode, writeDurably } from '../durable-file.ts';
import {
	certificateDays,
	certifyAuthority,
	certifyServer,
	fingerprintOf,
	type KeyAndCertificate,
	makePrivateKey,
	publicKeyOf,
	readCertificates,
} from './certificates.ts';

/** The files of a server's TLS folder. Whoever has `authorityKey` can pass as the venue's server. */
export const tlsFiles = {
	authorityKey: 'authority.private.pem',
	authority: 'authority.pem',
	serverKey: 'server.private.pem',
	server: 'server.pem',
} as const;

/** A server certificate is renewed when less than this is left of it. */
export const renewBeforeMs = (certificateDays.server * 86_400_000) / 3;

/** Whose certificate a server shows. */
export interface TlsOptions {
	/** Folder of the keys, made where there is none. */
	readonly dir: string;
	/** Host names and addresses that clients reach the server by. */
	readonly hosts: readonly string[];
	readonly nowMs: number;
	/** A certificate of the operator's own: the venue's authority is then not used. */
	readonly own?: KeyAndCertificate;
}

/** What a TLS server needs, and what its clients pin. */
export interface ServerTls {
	readonly key: string;
	/** The server's certificate and the one of its authority: a client finds its pin in this chain. */
	readonly cert: string;
	/** SHA-256 of the SPKI that devices pin, base64url. */
	readonly fingerprint: string;
	/** When the certificate ends. */
	readonly untilMs: number;
}

/**
 * Opens a server's TLS folder: makes the venue's authority at the first start, and a server certificate where there is
 * none, where its hosts changed or where it ends soon. Calling it again is how a certificate is renewed.
 * Throws `server_data_invalid` for a damaged file and `output_failed`.
 */
export async function openServerTls(options: TlsOptions): Promise<ServerTls> {
	if (options.own) return tlsOfChain(options.own);
	await makePrivateFolder(options.dir);
	const authority = await openAuthority(options.dir, options.nowMs);
	const key = await keptKey(join(options.dir, tlsFiles.serverKey));
	const path = join(options.dir, tlsFiles.server);
	const kept = await readIfThere(path);
	if (kept !== undefined && isCurrent(kept, { key, authority, ...options })) return tlsOf(key, kept, authority);
	const { hosts, nowMs } = options;
	const made = await certifyServer(authority, { publicKey: publicKeyOf(key), hosts, nowMs });
	await writeDurably(path, made, publicMode);
	return tlsOf(key, made, authority);
}

/** Signs the certificate of a hub of this venue with the authority of `dir`. Gives the chain that the hub shows. */
export async function certifyHub(
	dir: string,
	hub: { readonly publicKey: string; readonly hosts: readonly string[]; readonly nowMs: number },
): Promise<string> {
	const authority = await openAuthority(dir, hub.nowMs);
	return (await certifyServer(authority, hub)) + authority.certificate;
}

async function openAuthority(dir: string, nowMs: number): Promise<KeyAndCertificate> {
	const key = await keptKey(join(dir, tlsFiles.authorityKey));
	const path = join(dir, tlsFiles.authority);
	const kept = await readIfThere(path);
	const [certificate] = kept === undefined ? [] : certificatesOf(path, kept);
	if (kept !== undefined && certificate?.checkPrivateKey(createPrivateKey(key))) return { key, certificate: kept };
	if (kept !== undefined) throw damaged(path, 'it is not the certificate of the key beside it');
	const made = await certifyAuthority(key, nowMs);
	await writeDurably(path, made, publicMode);
	return { key, certificate: made };
}

/** Reads a private key, or makes it. Throws `server_data_invalid`, never with what is in the file. */
export async function keptKey(path: string): Promise<string> {
	const kept = await readIfThere(path);
	if (kept !== undefined) {
		try {
			createPrivateKey(kept);
			return kept;
		} catch {
			// The cause may quote the key.
			throw damaged(path, 'it is not a private key');
		}
	}
	const made = `${await makePrivateKey()}\n`;
	await writeDurably(path, made, secretMode);
	return made;
}

function isCurrent(
	pem: string,
	{ key, authority, hosts, nowMs }: TlsOptions & { readonly key: string; readonly authority: KeyAndCertificate },
): boolean {
	const [certificate] = certificatesOf(tlsFiles.server, pem);
	const [issuer] = readCertificates(authority.certificate);
	if (!certificate || !issuer || !certificate.checkPrivateKey(createPrivateKey(key))) return false;
	if (!certificate.verify(issuer.publicKey)) return false;
	const left = Date.parse(certificate.validTo) - nowMs;
	// A certificate that lasts longer than any is made was made while the clock was wrong.
	if (left < renewBeforeMs || left > certificateDays.server * 86_400_000) return false;
	return hosts.every((host) => isFor(certificate, host));
}

/** Whether a certificate names a host. */
export function isFor(certificate: X509Certificate, host: string): boolean {
	return (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined;
}

function tlsOf(key: string, server: string, authority: KeyAndCertificate): ServerTls {
	return tlsOfChain({ key, certificate: server + authority.certificate });
}

/** What a chain serves with. The last certificate of a chain is the one that is pinned: it changes least. */
export function tlsOfChain({ key, certificate }: KeyAndCertificate): ServerTls {
	const chain = certificatesOf('the server’s certificate', certificate);
	const [leaf] = chain;
	const pinned = chain.at(-1);
	if (!leaf || !pinned) throw damaged('the server’s certificate', 'it holds no certificate');
	if (!leaf.checkPrivateKey(createPrivateKey(key))) {
		throw damaged('the server’s certificate', 'it belongs to another private key');
	}
	return {
		key,
		cert: certificate,
		fingerprint: fingerprintOf(pinned.publicKey),
		untilMs: Date.parse(leaf.validTo),
	};
}

function certificatesOf(path: string, pem: string): readonly X509Certificate[] {
	try {
		return readCertificates(pem);
	} catch (cause) {
		throw new StilewardError('server_data_invalid', `${path} holds a damaged certificate`, { cause });
	}
}

function damaged(path: string, why: string): StilewardError {
	return new StilewardError('server_data_invalid', `${path} cannot be used: ${why}`);
}
