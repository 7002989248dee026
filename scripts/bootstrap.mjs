// node scripts/bootstrap.mjs [--NODE-OPTION]… FILE [ARGUMENT]…
// Installs what is missing, then runs FILE with the pinned Node. Plain JavaScript for any Node ≥ 18, because it runs
// before anything is installed. It prints nothing on standard output: that belongs to FILE.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lockfile = join(root, 'package-lock.json');
/** npm writes this last, so it is missing after an `npm ci` that was interrupted. */
const installed = join(root, 'node_modules', '.package-lock.json');
const hasPinnedNode = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);
const pinnedNode = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
const guard = join(root, '.build', 'bootstrap.lock');
const installMinutesMax = 15;

function say(text) {
	process.stderr.write(`stileward: ${text}\n`);
}

function fail(text) {
	say(text);
	process.exit(1);
}

function isInstalled() {
	if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lockfile).mtimeMs) return false;
	return !hasPinnedNode || existsSync(pinnedNode);
}

function isAlive(pid) {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return error.code === 'EPERM';
	}
}

/** Takes the guard file, whose content appears together with its name. False when somebody else holds it. */
function takeGuard() {
	const mine = `${guard}.${process.pid}`;
	writeFileSync(mine, `${process.pid}`);
	try {
		linkSync(mine, guard);
		return true;
	} catch (error) {
		if (error.code !== 'EEXIST') throw error;
		return false;
	} finally {
		rmSync(mine, { force: true });
	}
}

function guardHolder() {
	try {
		return Number(readFileSync(guard, 'utf8'));
	} catch {
		return undefined;
	}
}

/** Moves the guard of a dead process away. Whoever took it anew in between gets it back. */
function breakGuard(dead) {
	const aside = `${guard}.broken.${process.pid}`;
	try {
		renameSync(guard, aside);
	} catch {
		return;
	}
	const taken = Number(readFileSync(aside, 'utf8'));
	if (taken !== dead && isAlive(taken)) renameSync(aside, guard);
	else rmSync(aside, { force: true });
}

function pause(ms) {
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Two programs that start at once must not both empty and fill `node_modules`: the second waits for the first. */
function whileGuarded(work) {
	mkdirSync(dirname(guard), { recursive: true });
	const giveUpAt = Date.now() + installMinutesMax * 60_000;
	for (let told = false; !takeGuard(); pause(200)) {
		const holder = guardHolder();
		if (holder !== undefined && !isAlive(holder)) breakGuard(holder);
		else if (!told) {
			say(`another start (process ${holder ?? '?'}) is installing the dependencies; waiting for it`);
			told = true;
		}
		if (Date.now() > giveUpAt) fail(`still waiting after ${installMinutesMax} minutes. Remove ${guard} and try again.`);
	}
	try {
		work();
	} finally {
		rmSync(guard, { force: true });
	}
}

function install() {
	if (isInstalled()) return;
	say('installing dependencies (npm ci), about half a minute …');
	// Development and optional dependencies are asked for by name: NODE_ENV=production or an `omit` in somebody's
	// .npmrc would leave out the tests' tools or Node itself.
	const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
	const npm = spawnSync('npm', args, {
		cwd: root,
		stdio: ['ignore', process.stderr, process.stderr],
		shell: process.platform === 'win32',
	});
	if (npm.error) throw new Error(`npm cannot be run (${npm.error.code}). Install npm 9 or newer.`);
	if (npm.status !== 0) throw new Error('`npm ci` failed. Check the network to the npm registry, then run this again.');
	if (hasPinnedNode && spawnSync(pinnedNode, ['--version'], { stdio: 'ignore' }).status !== 0) {
		say(`the pinned Node (node-linux-${process.arch}) was not installed or does not run on this system`);
	}
}

/** The pinned Node; where there is none (other systems), the Node that runs this, if it is new enough. */
function findNode() {
	if (hasPinnedNode && existsSync(pinnedNode)) return pinnedNode;
	const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node.replace('>=', '');
	const [major, minor] = process.versions.node.split('.').map(Number);
	const [wantedMajor, wantedMinor] = wanted.split('.').map(Number);
	if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor)) {
		fail(
			`needs Node ${wanted} or newer on ${process.platform} ${process.arch}; this is Node ${process.versions.node}. ` +
				'Install it from https://nodejs.org (on Linux x64 and arm64 it comes by itself).',
		);
	}
	return process.execPath;
}

/** Becomes `node args`. Without execve (older Node, Windows) it stays, passes signals on and ends as its child does. */
function become(node, args) {
	if (process.execve && process.platform !== 'win32') process.execve(node, [node, ...args], process.env);
	const child = spawn(node, args, { stdio: 'inherit' });
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
	child.on('error', (error) => fail(`${node} does not run (${error.code})`));
	child.on('exit', (code, signal) => {
		if (!signal) process.exit(code);
		process.removeAllListeners(signal);
		process.kill(process.pid, signal);
	});
}

// Node keeps what it compiled, types already stripped: an agent starts faster and is a tenth smaller. Where the folder
// cannot be written, Node goes on without.
process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules', '.cache', 'node');

const given = process.argv.slice(2);
const fileAt = given.findIndex((argument) => !argument.startsWith('--'));
try {
	if (!isInstalled()) whileGuarded(install);
} catch (error) {
	fail(error.message);
}
if (fileAt >= 0) {
	const words = given.slice(fileAt + 1);
	// The options keep a gate's box small. A server collects garbage of hundreds of requests at once: with Node's own
	// limits it needs a third less CPU for a claim.
	const options = words[0] === 'server' ? [] : given.slice(0, fileAt);
	become(findNode(), [...options, join(root, given[fileAt]), ...words]);
}
