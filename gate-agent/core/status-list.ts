import { base64url, CompactSign, compactVerify, errors, type JWK } from 'jose';
import { StilewardError } from './errors.ts';
import type { IssuerKey } from './issue.ts';
import { algOf, importPrivateKey, importPublicKey } from './jwk.ts';
import { decodeBase64url, readJson, readJws } from './strict-jws.ts';
import { ticketIdxMax } from './ticket.ts';

/** How many bits one status has. */
export type StatusBits = 1 | 2 | 4 | 8;

/**
 * The states of an event's tickets by `idx`: status `i` lies `i × bits` bits into the bytes, counted from the least
 * significant bit of each byte (Token Status List, draft-ietf-oauth-status-list §4.1).
 */
export interface StatusList {
	readonly bits: StatusBits;
	readonly bytes: Uint8Array;
}

/** A status list with what its token says about it. Times are NumericDates. */
export interface StatusListToken {
	/** The URI of the list. */
	readonly sub: string;
	readonly iat: number;
	readonly exp?: number;
	/** Seconds after which a fresh one should be fetched. */
	readonly ttl?: number;
	readonly list: StatusList;
}

/** ZLIB (RFC 1950), given by the runtime. `inflate` rejects or throws on damage and above `bytesMax`. */
export interface Zlib {
	deflate(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
	inflate(bytes: Uint8Array, bytesMax: number): Uint8Array | Promise<Uint8Array>;
}

/** The largest list, uncompressed: 134 million tickets with one bit each. */
export const statusListBytesMax = 16 * 1024 * 1024;

/** The `typ` that the draft gives to status list tokens; it keeps a ticket from passing as one, and the reverse. */
const tokenType = 'statuslist+jwt';

/** Makes a list of `size` tickets, all of them with status 0 (valid). */
export function createStatusList(bits: StatusBits, size: number): StatusList {
	return { bits, bytes: new Uint8Array(Math.ceil((size * bits) / 8)) };
}

/** The status of a ticket, undefined beyond the list's end: such a ticket was sold after the list was made. */
export function statusOf({ bits, bytes }: StatusList, idx: number): number | undefined {
	const byte = bytes[Math.floor((idx * bits) / 8)];
	return byte === undefined ? undefined : (byte >> ((idx * bits) % 8)) & maskOf(bits);
}

/** Gives the list with one status changed, longer where `idx` lies beyond its end. The bytes are changed in place. */
export function withStatus(list: StatusList, idx: number, status: number): StatusList {
	const { bits } = list;
	const mask = maskOf(bits);
	const isStatus = Number.isInteger(status) && status >= 0 && status <= mask;
	if (!isStatus || !Number.isInteger(idx) || idx < 0 || idx > ticketIdxMax) {
		throw invalid(`a status is 0 to ${mask}, an idx 0 to ${ticketIdxMax}`);
	}
	const at = Math.floor((idx * bits) / 8);
	const bytes = extended(list.bytes, at + 1);
	const shift = (idx * bits) % 8;
	bytes[at] = ((bytes[at] ?? 0) & ~(mask << shift)) | (status << shift);
	return { bits, bytes };
}

/** Writes a list as the `lst` member: base64url of its ZLIB form. */
export async function deflateStatusList({ bytes }: StatusList, zlib: Zlib): Promise<string> {
	return base64url.encode(await zlib.deflate(bytes));
}

/** Reads the `bits` and `lst` members. Throws `status_list_invalid`. */
export async function inflateStatusList(
	statusList: { readonly bits: unknown; readonly lst: unknown },
	zlib: Zlib,
): Promise<StatusList> {
	const { bits, lst } = statusList;
	if (bits !== 1 && bits !== 2 && bits !== 4 && bits !== 8) throw invalid('`bits` must be 1, 2, 4 or 8');
	const deflated = typeof lst === 'string' ? decodeBase64url(lst) : undefined;
	if (!deflated) throw invalid('`lst` must be base64url');
	try {
		return { bits, bytes: await zlib.inflate(deflated, statusListBytesMax) };
	} catch (cause) {
		throw new StilewardError('status_list_invalid', 'status list: `lst` is damaged or too large', { cause });
	}
}

/** Signs a status list token (`statuslist+jwt`). Throws `keys_invalid`. */
export async function signStatusList(token: StatusListToken, key: IssuerKey, zlib: Zlib): Promise<string> {
	const { sub, iat, exp, ttl, list } = token;
	const status_list = { bits: list.bits, lst: await deflateStatusList(list, zlib) };
	return new CompactSign(new TextEncoder().encode(JSON.stringify({ sub, iat, exp, ttl, status_list })))
		.setProtectedHeader({ alg: algOf(key.privateKey), kid: key.kid, typ: tokenType })
		.sign(await importPrivateKey(key.privateKey));
}

/** Opens a status list token that this key signed. Throws `status_list_invalid`; its age is for the caller to judge. */
export async function openStatusList(jws: string, publicKey: JWK, zlib: Zlib): Promise<StatusListToken> {
	const parts = readJws(jws.trim());
	if (parts?.typ !== tokenType) throw invalid('this text is not a status list token');
	await checkSignature(jws.trim(), publicKey);
	const { sub, iat, exp, ttl, status_list: members } = readJson(parts.payload) ?? {};
	if (typeof sub !== 'string' || !isTime(iat)) throw invalid('`sub` and `iat` must be there');
	if (exp !== undefined && !isTime(exp)) throw invalid('`exp` must be a NumericDate');
	if (ttl !== undefined && !isTime(ttl)) throw invalid('`ttl` must be a number of seconds');
	if (typeof members !== 'object' || members === null) throw invalid('`status_list` must be there');
	// Both members are checked by `inflateStatusList`.
	const list = await inflateStatusList(members as { bits: unknown; lst: unknown }, zlib);
	return { sub, iat, ...(exp !== undefined && { exp }), ...(ttl !== undefined && { ttl }), list };
}

async function checkSignature(jws: string, publicKey: JWK): Promise<void> {
	const algorithms = algOf(publicKey) === 'ES256' ? ['ES256'] : ['Ed25519', 'EdDSA'];
	const key = await importPublicKey(publicKey);
	try {
		await compactVerify(jws, key, { algorithms });
	} catch (error) {
		if (!(error instanceof errors.JOSEError)) throw error;
		throw invalid('its signature is not of the named key');
	}
}

function extended(bytes: Uint8Array, length: number): Uint8Array {
	if (bytes.length >= length) return bytes;
	if (length > statusListBytesMax) throw invalid(`a list has at most ${statusListBytesMax} bytes`);
	const longer = new Uint8Array(length);
	longer.set(bytes);
	return longer;
}

function maskOf(bits: StatusBits): number {
	return 2 ** bits - 1;
}

function isTime(value: unknown): value is number {
	return Number.isSafeInteger(value) && Number(value) >= 0;
}

function invalid(message: string): StilewardError {
	return new StilewardError('status_list_invalid', `status list: ${message}`);
}
