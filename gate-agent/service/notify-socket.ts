import { closeSync } from 'node:fs';
import { loadLibc } from '../ioctl/libc.ts';

/** The way to the service manager that started this program. */
export interface NotifySocket {
	/** Sends one message without waiting. Throws a `SystemCallError` where the kernel does not take it. */
	send(message: string): void;
	close(): void;
}

/** `struct sockaddr_un` holds a path of 108 bytes (unix(7)). */
const pathBytesMax = 108;
const AF_UNIX = 1;

/**
 * Opens the socket that systemd names in `NOTIFY_SOCKET` (sd_notify(3)): a path, or after `@` an abstract name. Node
 * has no local datagrams, so the C library is called. Throws `unsupported`, `library_missing`, and an `Error` for an
 * address that is none.
 */
export async function openNotifySocket(address: string): Promise<NotifySocket> {
	const target = socketAddress(address);
	const libc = await loadLibc();
	const fd = libc.localDatagramSocket();
	return {
		send: (message) => libc.sendTo(fd, target, Buffer.from(message)),
		close: () => closeSync(fd),
	};
}

function socketAddress(address: string): Buffer {
	const name = Buffer.from(address);
	if (!/^[/@]./.test(address) || name.length >= pathBytesMax) throw new Error(`no address of a socket: ${address}`);
	const isAbstract = address.startsWith('@');
	if (isAbstract) name[0] = 0;
	const family = Buffer.alloc(2);
	family.writeUInt16LE(AF_UNIX);
	// A path ends with a zero byte; of an abstract name every byte counts.
	return Buffer.concat([family, name, Buffer.alloc(isAbstract ? 0 : 1)]);
}
