import { StilewardError } from '../core/errors.ts';

/** The few calls of the C library that Node does not have. Each throws a `SystemCallError` where the kernel refuses. */
export interface Libc {
	/** `argument` is read and written in place, or is the number itself. Gives what the kernel returned. */
	ioctl(fd: number, request: number, argument: Uint8Array | number): number;
	/** Takes the advisory lock of an open file without waiting; it ends with the descriptor. */
	lockExclusive(fd: number): void;
}

/** What the kernel refused, as `errno` names it. */
export class SystemCallError extends Error {
	readonly errno: number;

	constructor(call: string, errno: number) {
		super(`${call} failed with errno ${errno}`);
		this.name = 'SystemCallError';
		this.errno = errno;
	}
}

/** Numbers of Linux's errors (include/uapi/asm-generic/errno-base.h). */
export const errno = {
	ENXIO: 6,
	EIO: 5,
	EAGAIN: 11,
	EACCES: 13,
	EBUSY: 16,
	ENODEV: 19,
	EINVAL: 22,
	ENOTTY: 25,
	EPERM: 1,
};

const LOCK_EX = 2;
const LOCK_NB = 4;

/** Loads the C library through koffi. Errors: `unsupported` elsewhere than on Linux, `library_missing` without glibc. */
export async function loadLibc(): Promise<Libc> {
	if (process.platform !== 'linux') {
		throw new StilewardError('unsupported', 'kernel devices are used on Linux only');
	}
	const { default: koffi } = await import('koffi');
	const library = openLibrary(koffi);
	const withBytes = library.func('int ioctl(int fd, unsigned long request, _Inout_ uint8_t *argument)');
	const withNumber = library.func('int ioctl(int fd, unsigned long request, long argument)');
	const flock = library.func('int flock(int fd, int operation)');
	const check = (call: string, result: number): number => {
		if (result < 0) throw new SystemCallError(call, koffi.errno());
		return result;
	};
	return {
		ioctl: (fd, request, argument) =>
			check(
				'ioctl',
				typeof argument === 'number' ? withNumber(fd, request, argument) : withBytes(fd, request, argument),
			),
		lockExclusive: (fd) => void check('flock', flock(fd, LOCK_EX | LOCK_NB)),
	};
}

function openLibrary(koffi: typeof import('koffi').default) {
	try {
		return koffi.load('libc.so.6');
	} catch (cause) {
		throw new StilewardError('library_missing', 'cannot load libc.so.6: the GNU C library (package libc6) is needed', {
			cause,
		});
	}
}
