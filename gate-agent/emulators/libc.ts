import { constants } from 'node:fs';
import { StilewardError } from '../core/errors.ts';

/** The few calls of the C library that make a pseudo-terminal. Each throws when the kernel refuses. */
export interface Libc {
	/** A new master, non-blocking, closed on exec. */
	openMaster(): number;
	/** Makes the slave usable and gives its path. */
	unlockSlave(masterFd: number): string;
	/** No echo, no line editing, no translation of CR and LF. */
	makeRaw(slaveFd: number): void;
	/** Bytes that wait in the slave's input queue. */
	unreadBytes(slaveFd: number): number;
	/** The output speed that is set on the slave, in baud. */
	baudRate(slaveFd: number): number;
	/** Hangs the slave up while its device node stays; only root may. */
	hangUp(slaveFd: number): void;
}

/** `FIONREAD` of Linux's generic ioctls (x86-64 and arm64 alike). */
const FIONREAD = 0x541b;
/** `TIOCVHANGUP` of Linux. */
const TIOCVHANGUP = 0x5437;
/** `TCGETS2` of Linux's generic ioctls: unlike `tcgetattr` it gives speeds as numbers. */
const TCGETS2 = 0x802c542a;
/** `struct termios2`: four flag words, a line byte, 19 control characters, two speeds. */
const termios2Bytes = 44;
const outputSpeedAt = 40;
const TCSANOW = 0;
/** `O_CLOEXEC`, which Node does not name: a child must not inherit a master, or it outlives the unplug. */
const O_CLOEXEC = 0o2000000;
/** More than any `struct termios` of Linux (glibc: 60 bytes). */
const termiosBytesMax = 256;
const ptyPathBytesMax = 64;

/**
 * Loads the C library through koffi.
 * Errors: `unsupported` elsewhere than on Linux, `library_missing` when there is no library of that name.
 */
export async function loadLibc(name = 'libc.so.6'): Promise<Libc> {
	if (process.platform !== 'linux') throw new StilewardError('unsupported', 'a pseudo-terminal is made on Linux only');
	const { default: koffi } = await import('koffi');
	const library = openLibrary(koffi, name);
	const posixOpenpt = library.func('int posix_openpt(int flags)');
	const grantpt = library.func('int grantpt(int fd)');
	const unlockpt = library.func('int unlockpt(int fd)');
	const ptsname = library.func('int ptsname_r(int fd, void *path, size_t size)');
	const tcgetattr = library.func('int tcgetattr(int fd, void *termios)');
	const tcsetattr = library.func('int tcsetattr(int fd, int when, void *termios)');
	const cfmakeraw = library.func('void cfmakeraw(void *termios)');
	const ioctl = library.func('int ioctl(int fd, unsigned long request, void *argument)');
	const check = (call: string, result: number): number => {
		if (result < 0) throw new Error(`${call} failed with errno ${koffi.errno()}`);
		return result;
	};
	return {
		openMaster: () =>
			check('posix_openpt', posixOpenpt(constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK | O_CLOEXEC)),
		unlockSlave(masterFd) {
			check('grantpt', grantpt(masterFd));
			check('unlockpt', unlockpt(masterFd));
			const path = Buffer.alloc(ptyPathBytesMax);
			check('ptsname_r', -Math.abs(ptsname(masterFd, path, path.length)));
			return path.toString('latin1', 0, path.indexOf(0));
		},
		makeRaw(slaveFd) {
			const termios = Buffer.alloc(termiosBytesMax);
			check('tcgetattr', tcgetattr(slaveFd, termios));
			cfmakeraw(termios);
			check('tcsetattr', tcsetattr(slaveFd, TCSANOW, termios));
		},
		unreadBytes(slaveFd) {
			const count = Buffer.alloc(4);
			check('ioctl(FIONREAD)', ioctl(slaveFd, FIONREAD, count));
			return count.readInt32LE();
		},
		baudRate(slaveFd) {
			const termios2 = Buffer.alloc(termios2Bytes);
			check('ioctl(TCGETS2)', ioctl(slaveFd, TCGETS2, termios2));
			return termios2.readUInt32LE(outputSpeedAt);
		},
		hangUp(slaveFd) {
			check('ioctl(TIOCVHANGUP)', ioctl(slaveFd, TIOCVHANGUP, null));
		},
	};
}

function openLibrary(koffi: typeof import('koffi').default, name: string) {
	try {
		return koffi.load(name);
	} catch (cause) {
		const message = `cannot load ${name}: pseudo-terminals need the GNU C library (package libc6), which musl systems lack`;
		throw new StilewardError('library_missing', message, { cause });
	}
}
