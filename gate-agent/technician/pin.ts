import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { chown, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StilewardError } from '../core/errors.ts';
import { createKeyFolder, replaceKeyFile, secretMode } from '../keys/key-files.ts';

/** The file in a gate's data folder that keeps the technician's PIN, hashed. */
export const pinFile = 'technician-pin.txt';

/** What a PIN is: typed at the gate on any keyboard. Fewer digits could be guessed within a season. */
const pinForm = /^\d{6,12}$/;

/** Cost of scrypt (RFC 7914): 16 MiB and about a tenth of a second on a small gate computer. */
const cost = { N: 2 ** 14, r: 8, p: 1, maxmem: 32 * 1024 * 1024 } as const;

const keyBytes = 32;
const saltBytes = 16;

/** Keeps a new PIN in the place of the one before, as `salt$key`. Throws `usage` for what is none, and `output_failed`. */
export async function setPin(dir: string, pin: string): Promise<void> {
	if (!pinForm.test(pin)) throw new StilewardError('usage', 'a PIN has 6 to 12 digits');
	if (/^(\d)\1+$/.test(pin)) throw new StilewardError('usage', 'a PIN of one digit is the first that is tried');
	const salt = randomBytes(saltBytes);
	const key = await derive(pin, salt);
	await createKeyFolder(dir);
	const text = `${salt.toString('base64url')}$${key.toString('base64url')}\n`;
	await replaceKeyFile(dir, { file: pinFile, text, mode: secretMode });
	await giveToGate(dir);
}

/** Root may set it for the gate's own user, who must be able to read it. */
async function giveToGate(dir: string): Promise<void> {
	if (process.getuid?.() !== 0) return;
	const { uid, gid } = await stat(dir);
	await chown(join(dir, pinFile), uid, gid);
}

/** Whether there is a PIN, read anew each time: it may be set while the gate runs. */
export async function isPinSet(dir: string): Promise<boolean> {
	return (await readHash(dir)) !== undefined;
}

/** Whether this is the PIN of the gate. Takes as long where there is none, or where it is no PIN. */
export async function isPin(dir: string, pin: string): Promise<boolean> {
	const hash = await readHash(dir);
	const [salt = '', key = ''] = hash?.split('$') ?? [];
	const expected = Buffer.from(key, 'base64url');
	const found = await derive(pinForm.test(pin) ? pin : '', Buffer.from(salt, 'base64url'));
	const isKey = expected.length === keyBytes;
	return timingSafeEqual(found, isKey ? expected : Buffer.alloc(keyBytes)) && isKey && pinForm.test(pin);
}

async function readHash(dir: string): Promise<string | undefined> {
	try {
		const text = (await readFile(join(dir, pinFile), 'utf8')).trim();
		return /^[\w-]{22}\$[\w-]{43}$/.test(text) ? text : undefined;
	} catch {
		// A file that cannot be read opens nothing.
		return undefined;
	}
}

function derive(pin: string, salt: Buffer): Promise<Buffer> {
	return new Promise((resolve, reject) => {
		scrypt(pin, salt, keyBytes, cost, (error, key) => (error ? reject(error) : resolve(key)));
	});
}
