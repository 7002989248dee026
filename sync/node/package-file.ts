import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import type { Release } from '../../gate-agent/core/release.ts';

/** Bytes that are copied at a time. */
const chunkBytes = 1024 * 1024;

/** A package as it will be signed. */
export type PackageFacts = Pick<Release, 'bytes' | 'sha256'>;

/** Measures a package. Throws `package_invalid` where there is no such file. */
export async function measurePackage(path: string): Promise<PackageFacts> {
	const file = await openPackage(path);
	try {
		return await digest(file, async () => {});
	} finally {
		await file.close();
	}
}

/**
 * Copies a package to a place of one's own and checks the copy while it is made: whoever may write to the first place
 * cannot change it between the check and the use. The copy is durable when this resolves. Throws `package_invalid`, and
 * then there is no copy; `output_failed` where it cannot be written.
 */
export async function copyPackage(from: string, to: string, release: PackageFacts): Promise<void> {
	const source = await openPackage(from);
	try {
		const found = await writeCopy(source, to, release.bytes);
		if (found.sha256 === release.sha256 && found.bytes === release.bytes) return;
	} catch (cause) {
		await rm(to, { force: true });
		if (cause instanceof StilewardError) throw cause;
		throw new StilewardError('output_failed', `${to} cannot be written`, { cause });
	} finally {
		await source.close();
	}
	await rm(to, { force: true });
	throw new StilewardError('package_invalid', `${from} is not the package that was signed`);
}

/** A link is not followed: the folder may be another user's. */
async function openPackage(path: string): Promise<FileHandle> {
	try {
		return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
	} catch (cause) {
		throw new StilewardError('package_invalid', `${path} cannot be read`, { cause });
	}
}

async function writeCopy(source: FileHandle, to: string, bytesMax: number): Promise<PackageFacts> {
	await rm(to, { force: true });
	const target = await open(to, 'wx', 0o644);
	try {
		const facts = await digest(source, async (chunk) => void (await target.write(chunk)), bytesMax);
		await target.sync();
		return facts;
	} finally {
		await target.close();
	}
}

/** Reads one byte more than is wanted at most: a file that goes on is another one already. */
async function digest(
	file: FileHandle,
	onChunk: (chunk: Uint8Array) => Promise<void>,
	bytesMax = Number.POSITIVE_INFINITY,
): Promise<PackageFacts> {
	const hash = createHash('sha256');
	const buffer = Buffer.allocUnsafe(chunkBytes);
	let bytes = 0;
	while (bytes <= bytesMax) {
		const { bytesRead } = await file.read(buffer, 0, chunkBytes, null);
		if (bytesRead === 0) break;
		const chunk = buffer.subarray(0, bytesRead);
		hash.update(chunk);
		await onChunk(chunk);
		bytes += bytesRead;
	}
	return { bytes, sha256: hash.digest('hex') };
}
