import { execFileSync } from 'node:child_process';
import {
	chmodSync,
	cpSync,
	globSync,
	lstatSync,
	mkdirSync,
	readFileSync,
	renameSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { schemaVersion as ledgerSchema } from '../../gate-agent/ledger/schema.ts';
import { schemaVersion as storeSchema } from '../../sync/server/stores/schema.ts';
import type { Architecture } from './architecture.ts';

/** What a Debian package is made of. */
export interface DebianPackage {
	readonly project: string;
	/** The program and its modules, laid out; moved into the package. */
	readonly program: string;
	/** Becomes the tree of the package. */
	readonly tree: string;
	readonly architecture: Architecture;
	/** As Debian writes it. */
	readonly version: string;
	/** The time that all files carry, seconds since 1970. */
	readonly epoch: number;
}

/** Where the program lies on a gate. */
export const programFolder = 'usr/lib/stileward';

/** The services that run where they are configured, each with its unit in `device-configs/systemd`. */
export const services = ['stileward-gate.service', 'stileward-server.service', 'stileward-handheld.service'] as const;

/** What dpkg enables, starts and stops. The update's own service is not among them: it runs dpkg, and nothing may end it. */
const managed = [...services, 'stileward-update.path'];

const scripts = fileURLToPath(new URL('debian', import.meta.url));

/** A version of npm as Debian sorts it: a pre-release comes before its release. */
export function debianVersion(version: string): string {
	return version.replace('-', '~');
}

/** Lays out the tree of the package: program, command, units, udev rules, what dpkg runs, and what it says of itself. */
export function layOutPackage(options: DebianPackage): void {
	const { project, program, tree, architecture } = options;
	const root = join(tree, programFolder);
	mkdirSync(dirname(root), { recursive: true });
	renameSync(program, root);
	mkdirSync(join(root, 'bin'));
	symlinkSync(join('..', 'node_modules', architecture.node, 'bin', 'node'), join(root, 'bin', 'node'));
	put(join(tree, 'usr/bin/stileward'), readFileSync(join(scripts, 'stileward')), 0o755);
	put(join(tree, 'usr/lib/sysusers.d/stileward.conf'), readFileSync(join(scripts, 'sysusers.conf')));
	put(join(tree, 'usr/lib/modules-load.d/stileward.conf'), readFileSync(join(scripts, 'modules-load.conf')));
	for (const rules of globSync('*.rules', { cwd: join(project, 'device-configs/udev') })) {
		put(join(tree, `lib/udev/rules.d/${rules}`), readFileSync(join(project, 'device-configs/udev', rules)));
	}
	for (const unit of globSync('*.{service,path}', { cwd: join(project, 'device-configs/systemd') })) {
		put(join(tree, `lib/systemd/system/${unit}`), readFileSync(join(project, 'device-configs/systemd', unit)));
	}
	const doc = 'usr/share/doc/stileward';
	put(join(tree, `${doc}/copyright`), `${readFileSync(join(project, 'NOTICE'), 'utf8')}\n${license}`);
	for (const file of ['README.md', 'README.zh-CN.md', 'CHANGELOG.md']) {
		put(join(tree, `${doc}/${file}`), readFileSync(join(project, file)));
	}
	cpSync(join(project, 'device-configs/README.md'), join(tree, doc, 'device-configs.md'));
	mkdirSync(join(tree, 'etc/stileward'), { recursive: true });
	settle(tree, options);
	layOutControl(options);
}

const license = 'License: Apache-2.0; its text is /usr/share/common-licenses/Apache-2.0.\n';

function put(file: string, content: string | Uint8Array, mode = 0o644): void {
	mkdirSync(dirname(file), { recursive: true });
	writeFileSync(file, content);
	chmodSync(file, mode);
}

/** Rights do not depend on the umask of who built it. */
function settle(tree: string, { architecture }: DebianPackage): void {
	const node = join(tree, programFolder, 'node_modules', architecture.node, 'bin', 'node');
	for (const entry of globSync('{**/*,**/.*,**/.*/**/*}', { cwd: tree, withFileTypes: true })) {
		const path = join(entry.parentPath, entry.name);
		if (entry.isSymbolicLink()) continue;
		if (entry.isDirectory()) chmodSync(path, 0o755);
		else chmodSync(path, path === node || path.endsWith('/usr/bin/stileward') ? 0o755 : 0o644);
	}
	chmodSync(tree, 0o755);
}

function layOutControl(options: DebianPackage): void {
	const { tree } = options;
	const words: Readonly<Record<string, string>> = {
		'@UNITS@': managed.join(' '),
		'@VERSION@': options.version,
		'@LEDGER_SCHEMA@': String(ledgerSchema),
		'@STORE_SCHEMA@': String(storeSchema),
	};
	for (const name of ['preinst', 'postinst', 'prerm', 'postrm']) {
		const text = readFileSync(join(scripts, name), 'utf8');
		put(
			join(tree, `DEBIAN/${name}`),
			text.replace(/@[A-Z_]+@/g, (word) => words[word] ?? word),
			0o755,
		);
	}
	// Numbers that another program may ask for without running this one.
	put(join(tree, `${programFolder}/schemas`), `ledger ${ledgerSchema}\nstore ${storeSchema}\n`);
	put(join(tree, 'DEBIAN/control'), controlText({ ...options, kilobytes: Math.ceil(bytesIn(tree) / 1024) }));
}

/** What the package says of itself (Debian Policy, chapter 5). */
export function controlText({
	version,
	architecture,
	kilobytes,
}: Pick<DebianPackage, 'version' | 'architecture'> & { readonly kilobytes: number }): string {
	return `Package: stileward
Version: ${version}
Architecture: ${architecture.debian}
Maintainer: The Stileward authors <stileward@example.org>
Installed-Size: ${kilobytes}
Depends: libc6 (>= 2.28), libstdc++6, libudev1, libusb-1.0-0, systemd (>= 247), udev, passwd, perl-base
Suggests: bluez, chrony
Section: misc
Priority: optional
Description: entrance of a venue: signed tickets, offline decisions, real gates
 Reads ticket codes, verifies them without a network, writes each use to a
 ledger that survives a power cut, opens the turnstile and tells the venue's
 server. It holds its own Node and needs no network to be installed.
 .
 Three services come with it and start where they are configured: the agent of
 a gate (/etc/stileward/gate.yaml), the venue's server or hub
 (/etc/stileward/server.env), the agent of Bluetooth handheld scanners
 (/etc/stileward/handheld.yaml).
`;
}

function bytesIn(tree: string): number {
	return globSync('{**/*,**/.*,**/.*/**/*}', { cwd: tree, withFileTypes: true }).reduce((sum, entry) => {
		return entry.isFile() ? sum + lstatSync(join(entry.parentPath, entry.name)).size : sum;
	}, 0);
}

/** Packs a tree with Debian's own tool, so that two builds of the same files give the same bytes. Gives the file. */
export function pack({ tree, version, architecture, epoch }: DebianPackage, out: string) {
	mkdirSync(out, { recursive: true });
	const file = join(out, `stileward_${version}_${architecture.debian}.deb`);
	// zstd is read by dpkg of Debian 12 and newer, in a third of the time that xz takes on a small board.
	execFileSync('dpkg-deb', ['--root-owner-group', '-Zzstd', '-z9', '--build', tree, file], {
		stdio: ['ignore', 'pipe', 'pipe'],
		env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
	});
	return { file, name: basename(file), bytes: statSync(file).size };
}
