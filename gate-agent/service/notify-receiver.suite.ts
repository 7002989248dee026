import { closeSync, rmSync } from 'node:fs';
import koffi from 'koffi';

/** A service manager's end of the socket, as the kernel gives it: messages in the order in which they came. */
export interface NotifyReceiver {
	/** What a service finds in `NOTIFY_SOCKET`. */
	readonly address: string;
	/** Takes what has come since. */
	messages(): readonly string[];
	close(): void;
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;
const messageBytesMax = 4096;

/** Listens at an address, a path or `@name`. */
export function listenForNotices(address: string): NotifyReceiver {
	const libc = koffi.load('libc.so.6');
	const socket = libc.func('int socket(int domain, int type, int protocol)');
	const bind = libc.func('int bind(int fd, const uint8_t *address, uint32_t length)');
	const recv = libc.func('long recv(int fd, _Out_ uint8_t *bytes, unsigned long count, int flags)');
	const fd: number = socket(AF_UNIX, SOCK_DGRAM, 0);
	const name = Buffer.from(address.startsWith('@') ? `\0${address.slice(1)}` : `${address}\0`);
	const target = Buffer.concat([Buffer.from([AF_UNIX, 0]), name]);
	if (bind(fd, target, target.length) !== 0) throw new Error(`bind failed with errno ${koffi.errno()}`);
	return {
		address,
		messages: () => {
			const found: string[] = [];
			for (;;) {
				const bytes = Buffer.alloc(messageBytesMax);
				const count = Number(recv(fd, bytes, bytes.length, MSG_DONTWAIT));
				if (count < 0) return found;
				found.push(bytes.toString('utf8', 0, count));
			}
		},
		close: () => {
			closeSync(fd);
			if (!address.startsWith('@')) rmSync(address, { force: true });
		},
	};
}
