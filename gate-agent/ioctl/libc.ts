import { StilewardError } from '../core/errors.ts';

/** The few calls of the C library that Node does not have. Each throws a `SystemCallError` where the kernel refuses. */
export interface Libc {
	/** `argument` is read and written in place, or is the number itself. Gives what the kernel returned. */
	ioctl(fd: number, request: number, argument: Uint8Array | number): number;
	/** The same beside the main thread, for calls that a device on a bus answers: one that hangs holds them up for seconds. */
	ioctlAside(fd: number, request: number, argument: Uint8Array): Promise<number>;
	/** Waits until a descriptor has something to read, at most so long. `gone`: its device went away. */
	poll(fd: number, timeoutMs: number): 'readable' | 'idle' | 'gone';
	/** Takes the advisory lock of an open file without waiting; it ends with the descriptor. */
	lockExclusive(fd: number): void;
	/** A socket for datagrams on this machine (unix(7)); it never waits. Gives its descriptor. */
	localDatagramSocket(): number;
	/** Sends one datagram. `address` is a `struct sockaddr_un`, as long as it is. */
	sendTo(fd: number, address: Uint8Array, bytes: Uint8Array): void;
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

/** Numbers of Linux's errors (include/uapi/asm-generic/errno-base.h), those that somebody tells apart. */
export const errno = { EBUSY: 16, ENODEV: 19, EINVAL: 22 } as const;

/** `struct pollfd`: descriptor, wanted events, events that came. */
const pollBytes = 8;
const POLLIN = 0x001;
const POLLERR = 0x008;
const POLLHUP = 0x010;
const POLLNVAL = 0x020;

const AF_UNIX = 1;
/** SOCK_DGRAM, SOCK_NONBLOCK, SOCK_CLOEXEC. */
const datagramSocket = 2 | 0o4000 | 0o2000000;
/** A manager that went away is an error of the call and no signal. */
const MSG_NOSIGNAL = 0x4000;

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
	const poll = library.func('int poll(_Inout_ uint8_t *fds, unsigned long count, int timeout)');
	const flock = library.func('int flock(int fd, int operation)');
	const socket = library.func('int socket(int domain, int type, int protocol)');
	const sendto = library.func(
		'long sendto(int fd, const uint8_t *bytes, unsigned long count, int flags, const uint8_t *address, uint32_t length)',
	);
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
		ioctlAside: (fd, request, argument) =>
			new Promise((resolve, reject) => {
				withBytes.async(fd, request, argument, (error: unknown, result: number) => {
					if (error) reject(error);
					// The error of this very call is there as long as this runs.
					else if (result < 0) reject(new SystemCallError('ioctl', koffi.errno()));
					else resolve(result);
				});
			}),
		poll: (fd, timeoutMs) => {
			const asked = Buffer.alloc(pollBytes);
			asked.writeInt32LE(fd, 0);
			asked.writeInt16LE(POLLIN, 4);
			const count = poll(asked, 1, timeoutMs);
			const came = asked.readInt16LE(6);
			// What is left to read is read first, also where the device is gone.
			if (count > 0 && (came & POLLIN) !== 0) return 'readable';
			return count > 0 && (came & (POLLERR | POLLHUP | POLLNVAL)) !== 0 ? 'gone' : 'idle';
		},
		lockExclusive: (fd) => void check('flock', flock(fd, LOCK_EX | LOCK_NB)),
		localDatagramSocket: () => check('socket', socket(AF_UNIX, datagramSocket, 0)),
		sendTo: (fd, address, bytes) => {
			check('sendto', Number(sendto(fd, bytes, bytes.length, MSG_NOSIGNAL, address, address.length)));
		},
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
