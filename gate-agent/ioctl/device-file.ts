import { closeSync, constants, fstat, openSync } from 'node:fs';
import { StilewardError } from '../core/errors.ts';
import { loadLibc } from './libc.ts';

/** A device node that is held open. */
export interface DeviceFile {
	readonly path: string;
	readonly fd: number;
	/** Whether the node is still there: its link count falls to 0 with the device, even if another takes its name. */
	isThere(): Promise<boolean>;
	close(): void;
}

/** How a node is opened. */
export interface DeviceFileOptions {
	readonly access: 'read' | 'read_write';
	/** Takes the node's advisory lock: another agent that does so finds it `device_busy`. */
	readonly lock: boolean;
}

/** Linux: the descriptor is not passed on to children, which would keep the device open. */
const O_CLOEXEC = 0o2000000;

/**
 * Opens a device node without waiting for it. Errors: `device_absent`, `device_denied`, `device_busy`, `library_missing`.
 */
export async function openDeviceFile(path: string, { access, lock }: DeviceFileOptions): Promise<DeviceFile> {
	const libc = await loadLibc();
	const mode = access === 'read' ? constants.O_RDONLY : constants.O_RDWR;
	let fd: number;
	try {
		fd = openSync(path, mode | constants.O_NONBLOCK | constants.O_NOCTTY | O_CLOEXEC);
	} catch (cause) {
		throw openFailure(path, cause);
	}
	let isOpen = true;
	const close = () => {
		if (!isOpen) return;
		isOpen = false;
		closeSync(fd);
	};
	if (lock) {
		try {
			libc.lockExclusive(fd);
		} catch (cause) {
			close();
			throw new StilewardError('device_busy', `another program has ${path} open`, { cause });
		}
	}
	return {
		...{ path, fd, close },
		isThere: () =>
			new Promise((resolve) => {
				if (!isOpen) return resolve(false);
				fstat(fd, (error, stats) => resolve(error === null && stats.nlink > 0));
			}),
	};
}

/** What a refused open of a node means. */
function openFailure(path: string, cause: unknown): StilewardError {
	switch ((cause as NodeJS.ErrnoException).code) {
		case 'EACCES':
		case 'EPERM':
			return new StilewardError('device_denied', `this user may not open ${path}`, { cause });
		case 'EBUSY':
			return new StilewardError('device_busy', `another program has ${path} open`, { cause });
		default:
			return new StilewardError('device_absent', `there is no device ${path}`, { cause });
	}
}
