import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** Cost of scrypt (RFC 7914): 32 MiB and about a tenth of a second for each guess. */
const cost = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 } as const;

const keyBytes = 32;
const saltBytes = 16;

/** Characters of a password: NIST SP 800-63B asks for at least 8 and no other rule. */
export const passwordCharacters = { min: 8, max: 256 } as const;

/** Hashes a password with a new salt: `scrypt$N$r$p$salt$key`. */
export async function hashPassword(password: string): Promise<string> {
	const salt = randomBytes(saltBytes);
	const key = await derive(password, salt);
	return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/** Whether the password is the hashed one. Without a hash it takes as long and is always false. */
export async function isPassword(password: string, hash: string | undefined): Promise<boolean> {
	const [, , , , salt = '', key = ''] = hash?.split('$') ?? [];
	const expected = key === '' ? Buffer.alloc(keyBytes) : Buffer.from(key, 'base64url');
	const found = await derive(password, Buffer.from(salt, 'base64url'));
	return timingSafeEqual(found, expected) && hash !== undefined;
}

/** Unicode writes the same letters in several ways; keyboards differ. */
function derive(password: string, salt: Buffer): Promise<Buffer> {
	return new Promise((resolve, reject) => {
		scrypt(password.normalize('NFKC'), salt, keyBytes, cost, (error, key) => (error ? reject(error) : resolve(key)));
	});
}
