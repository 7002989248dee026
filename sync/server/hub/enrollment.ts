import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import Type from 'typebox';
import { Check } from 'typebox/value';
import { StilewardError } from '../../../gate-agent/core/errors.ts';
import { onlyPublic, type PublicJwk } from '../../../gate-agent/core/jwk.ts';
import { createHttpsClient } from '../../node/https-client.ts';
import { deviceId, serverId, sha256Text, venueId } from '../../protocol/fields.ts';
import { publicJwkSchema } from '../../protocol/public-key.ts';
import { makePrivateFolder, readIfThere, secretMode, writeDurably } from '../durable-file.ts';
import { callOnce } from './centre.ts';
import { keepHubCertificate, requestHubCertificate } from './hub-tls.ts';

/** The file of a hub's enrollment, with its private key. */
export const enrollmentFile = 'hub.private.json';

/** What a hub knows of itself and of its centre. */
export interface HubEnrollment {
	/** The thumbprint of its key. */
	readonly device: string;
	readonly venue: string;
	/** Its own server id. */
	readonly server: string;
	/** The server id of the centre, and its address. */
	readonly centre: string;
	readonly upstream: string;
	/** The pin of the venue: of the centre's certificate, and of its own. */
	readonly fingerprint: string;
	readonly rootKey: PublicJwk;
	readonly key: JWK;
}

const enrollmentSchema = Type.Object({
	device: deviceId,
	venue: venueId,
	server: serverId,
	centre: serverId,
	upstream: Type.String({ pattern: '^https://' }),
	fingerprint: sha256Text,
	rootKey: publicJwkSchema,
	key: Type.Object({ kty: Type.String(), d: Type.String() }),
});

/** What enrolling a hub needs. */
export interface EnrollHubOptions {
	/** Folder of the hub, made where there is none. */
	readonly dir: string;
	/** Address and pin of the centre. */
	readonly upstream: string;
	readonly fingerprint: string;
	readonly code: string;
	/** Names and addresses that devices reach the hub by. */
	readonly hosts: readonly string[];
	/** Gives a hub that was enrolled a new key; what it keeps stays. */
	readonly again: boolean;
	readonly nowMs: () => number;
}

/**
 * Enrolls a hub at its centre, once. Throws `output_exists` where the folder has a hub, and what the connection says;
 * rejects with a `Refusal` where the centre refuses.
 */
export async function enrollHub(options: EnrollHubOptions): Promise<HubEnrollment> {
	const { dir, upstream, fingerprint, code, hosts, again, nowMs } = options;
	await makePrivateFolder(dir);
	const path = join(dir, enrollmentFile);
	const before = await readEnrollment(dir);
	if (before !== undefined && !again) {
		throw new StilewardError(
			'output_exists',
			`${path} exists: this folder has a hub already; --again gives it a new key`,
		);
	}
	const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
	const key = await exportJWK(privateKey);
	const certificateRequest = await requestHubCertificate(join(dir, 'tls'), hosts);
	const client = createHttpsClient({ url: upstream, fingerprint, trustedNowMs: nowMs });
	try {
		const request = { code, key: onlyPublic(key), certificateRequest };
		const joined = await callOnce(client, { name: 'join', request, limits: {} });
		const { device, venue, server, centre, rootKey, certificate } = joined;
		if (before !== undefined && (before.venue !== venue || before.server !== server)) {
			throw new StilewardError(
				'output_exists',
				`${dir} is ${before.server} of ${before.venue}: it becomes no other hub`,
			);
		}
		if (certificate !== undefined) await keepHubCertificate(join(dir, 'tls'), certificate);
		// The pin that led here stays, whatever an answer says.
		const enrollment = { device, venue, server, centre, upstream, fingerprint, rootKey, key };
		await writeDurably(path, `${JSON.stringify(enrollment)}\n`, secretMode);
		return enrollment;
	} finally {
		client.close();
	}
}

/** Reads a hub's enrollment; undefined where the folder has none. Throws `server_data_invalid`. */
export async function readEnrollment(dir: string): Promise<HubEnrollment | undefined> {
	const path = join(dir, enrollmentFile);
	const text = await readIfThere(path);
	if (text === undefined) return undefined;
	try {
		const value: unknown = JSON.parse(text);
		// The schema leaves the key open: which members it has depends on its kind.
		if (Check(enrollmentSchema, value)) return value as HubEnrollment;
	} catch {
		// The cause may quote the key.
	}
	throw new StilewardError('server_data_invalid', `${path} does not hold the enrollment of a hub`);
}
