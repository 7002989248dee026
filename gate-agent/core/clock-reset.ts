import { CompactSign, compactVerify, importJWK, type JWK } from 'jose';
import { StilewardError } from './errors.ts';

/** Keeps a clock reset from passing as anything else that the root key signs. */
const resetType = 'stileward-clock-reset';

/**
 * Starts a new clock epoch, so that one wrong clock cannot poison a fleet for good: within it, floors that older epochs
 * left behind no longer count. `floorMs` is the time of signing, milliseconds since 1970.
 */
export interface ClockReset {
	readonly epoch: number;
	readonly floorMs: number;
}

/** Signs a clock reset with the root key; the JWS (RFC 7515) is carried to the gates as `clock-reset.jws`. */
export async function signClockReset(reset: ClockReset, rootPrivate: JWK): Promise<string> {
	const key = await importJWK(withoutAlg(rootPrivate), 'Ed25519');
	return new CompactSign(new TextEncoder().encode(JSON.stringify(reset)))
		.setProtectedHeader({ alg: 'Ed25519', typ: resetType })
		.sign(key);
}

/** Opens a clock reset. Throws `clock_reset_invalid` unless the root key signed it. */
export async function openClockReset(jws: string, rootPublic: JWK): Promise<ClockReset> {
	const key = await importJWK(withoutAlg(rootPublic), 'Ed25519');
	try {
		const { payload, protectedHeader } = await compactVerify(jws.trim(), key, { algorithms: ['Ed25519'] });
		const reset: unknown = JSON.parse(new TextDecoder().decode(payload));
		if (protectedHeader.typ === resetType && isClockReset(reset)) return { epoch: reset.epoch, floorMs: reset.floorMs };
	} catch (cause) {
		throw new StilewardError('clock_reset_invalid', 'the clock reset is not signed by the pinned root key', { cause });
	}
	throw new StilewardError('clock_reset_invalid', 'the signed text is not a clock reset');
}

function isClockReset(value: unknown): value is ClockReset {
	if (typeof value !== 'object' || value === null) return false;
	const { epoch, floorMs } = value as Partial<Record<keyof ClockReset, unknown>>;
	return Number.isSafeInteger(epoch) && Number(epoch) > 1 && Number.isSafeInteger(floorMs) && Number(floorMs) >= 0;
}

/** jose refuses a header whose `alg` is spelled differently from the JWK's. */
function withoutAlg({ alg: _, ...jwk }: JWK): JWK {
	return jwk;
}
