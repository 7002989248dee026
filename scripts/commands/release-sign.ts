import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { JWK } from 'jose';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { type Release, signRelease } from '../../gate-agent/core/release.ts';
import { keyFiles, readKeyJson } from '../../gate-agent/keys/key-files.ts';
import { measurePackage } from '../../sync/node/package-file.ts';
import { jsonLine, type Terminal } from './output.ts';

/** The options of `release sign`. */
export interface ReleaseSignOptions {
	readonly dir: string;
	readonly deb: string;
	readonly json?: true;
}

const packageName = 'stileward';

/** Signs a package with the root key and prints the release. Throws `package_invalid`, `release_invalid` and `keys_*`. */
export async function signPackage({ dir, deb, json }: ReleaseSignOptions, terminal: Terminal): Promise<void> {
	// It was checked as a key when it was made; signing checks it again.
	const rootKey = (await readKeyJson(dir, keyFiles.rootPrivate)) as JWK;
	const facts = await measurePackage(deb);
	const { version, arch } = await fieldsOf(deb);
	const release = { version, arch, ...facts, issuedAt: Math.floor(terminal.nowMs() / 1_000) };
	const jws = await signRelease(release, rootKey);
	await terminal.out.write(json ? jsonLine({ ...release, release: jws }) : `${jws}\n`);
}

/** What a package says of itself, read by Debian's own tool. */
async function fieldsOf(deb: string): Promise<Pick<Release, 'version' | 'arch'>> {
	const field = async (name: string) => {
		const { stdout } = await promisify(execFile)('dpkg-deb', ['--field', deb, name]);
		return stdout.trim();
	};
	try {
		const name = await field('Package');
		if (name !== packageName) throw new StilewardError('package_invalid', `${deb} is a package of ${name}`);
		// Another architecture than the two is refused when it is signed.
		return { version: await field('Version'), arch: (await field('Architecture')) as Release['arch'] };
	} catch (cause) {
		if (cause instanceof StilewardError) throw cause;
		if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
			throw new StilewardError('library_missing', 'dpkg-deb is not installed: use a Debian machine', { cause });
		}
		throw new StilewardError('package_invalid', `${deb} is no Debian package`, { cause });
	}
}
