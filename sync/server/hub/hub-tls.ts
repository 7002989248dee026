import { createPrivateKey } from 'node:crypto';
import { join } from 'node:path';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { makePrivateFolder, publicMode, readIfThere, writeDurably } from '../durable-file.ts';
import { certificateDays, type KeyAndCertificate, readCertificates, requestCertificate } from '../tls/certificates.ts';
import { isFor, keptKey, renewBeforeMs, type ServerTls, tlsFiles, tlsOfChain } from '../tls/venue-tls.ts';

/** What a hub's TLS needs. */
export interface HubTlsOptions {
	readonly dir: string;
	readonly hosts: readonly string[];
	/** What devices of the venue pin. */
	readonly fingerprint: string;
	readonly nowMs: number;
	/** A certificate of the operator's own. */
	readonly own?: KeyAndCertificate;
	/** Asks the centre for a certificate. */
	readonly certify: (certificateRequest: string) => Promise<string>;
	/** Told where the centre gives none now: the old one serves on. */
	readonly onNotRenewed: (error: unknown) => void;
}

/** Requests a certificate for the hub's own key, which is made where there is none. */
export async function requestHubCertificate(dir: string, hosts: readonly string[]): Promise<string> {
	await makePrivateFolder(dir);
	return requestCertificate(await keptKey(join(dir, tlsFiles.serverKey)), hosts);
}

/** Keeps the chain that the centre signed. */
export async function keepHubCertificate(dir: string, chain: string): Promise<void> {
	await writeDurably(join(dir, tlsFiles.server), chain, publicMode);
}

/**
 * Opens a hub's TLS folder and renews its certificate where it ends soon or the hosts changed. A certificate that still
 * serves is shown while the centre is out of reach. Throws `server_data_invalid` where there is none under the pin.
 */
export async function openHubTls(options: HubTlsOptions): Promise<ServerTls> {
	const { dir, own } = options;
	if (own) return underPin(tlsOfChain(own), options);
	const key = await keptKey(join(dir, tlsFiles.serverKey));
	const kept = await readIfThere(join(dir, tlsFiles.server));
	if (kept !== undefined && isCurrent(kept, key, options))
		return underPin(tlsOfChain({ key, certificate: kept }), options);
	try {
		const chain = await options.certify(await requestCertificate(key, options.hosts));
		await keepHubCertificate(dir, chain);
		return underPin(tlsOfChain({ key, certificate: chain }), options);
	} catch (error) {
		if (kept === undefined) throw error;
		options.onNotRenewed(error);
		return underPin(tlsOfChain({ key, certificate: kept }), options);
	}
}

function isCurrent(chain: string, key: string, { hosts, nowMs }: HubTlsOptions): boolean {
	const [certificate] = readCertificates(chain);
	if (!certificate?.checkPrivateKey(createPrivateKey(key))) return false;
	const left = Date.parse(certificate.validTo) - nowMs;
	// A certificate that lasts longer than any is made was made while the clock was wrong.
	if (left < renewBeforeMs || left > certificateDays.server * 86_400_000) return false;
	return hosts.every((host) => isFor(certificate, host));
}

/** A hub that devices would refuse must not start as if all were well. */
function underPin(tls: ServerTls, { fingerprint }: HubTlsOptions): ServerTls {
	if (tls.fingerprint === fingerprint) return tls;
	throw new StilewardError('server_data_invalid', 'the certificate of the hub does not lead to the pin of the venue');
}
