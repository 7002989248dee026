import { openNotifySocket } from './notify-socket.ts';

/** What a service tells the manager that started it (sd_notify(3)). Nothing here throws: a lane waits for nobody. */
export interface ServiceManager {
	/** How often it wants to hear that the service lives, ms; undefined where it does not ask. */
	readonly watchdogMs: number | undefined;
	/** The service does its work from now on. */
	ready(): void;
	/** One line for `systemctl status`. */
	status(text: string): void;
	/** The start goes on, and may take so much longer. */
	extendStart(ms: number): void;
	/** The service lives. */
	alive(): void;
	stopping(): void;
}

/** What the manager puts into the environment of a service. */
export interface ManagerEnvironment {
	readonly NOTIFY_SOCKET?: string | undefined;
	readonly WATCHDOG_USEC?: string | undefined;
	readonly WATCHDOG_PID?: string | undefined;
}

/** Nobody started this program as a service: nothing is told. */
export const noServiceManager: ServiceManager = {
	watchdogMs: undefined,
	ready: () => undefined,
	status: () => undefined,
	extendStart: () => undefined,
	alive: () => undefined,
	stopping: () => undefined,
};

/**
 * Opens the way to the service manager; without `NOTIFY_SOCKET` there is none. `onFailure` hears what keeps a message
 * from arriving, once: a manager that hears nothing starts the service anew.
 */
export async function connectServiceManager(
	{ NOTIFY_SOCKET: address, WATCHDOG_USEC: usec, WATCHDOG_PID: pid }: ManagerEnvironment,
	onFailure: (error: unknown) => void,
): Promise<ServiceManager> {
	if (!address) return noServiceManager;
	let isTold = false;
	const fail = (error: unknown) => {
		if (!isTold) onFailure(error);
		isTold = true;
	};
	const socket = await openNotifySocket(address).catch(fail);
	if (socket === undefined) return noServiceManager;
	const tell = (message: string) => {
		try {
			socket.send(message);
		} catch (error) {
			fail(error);
		}
	};
	const isAsked = Number(usec) > 0 && (pid === undefined || pid === String(process.pid));
	return {
		watchdogMs: isAsked ? Number(usec) / 1000 : undefined,
		ready: () => tell('READY=1'),
		// One message has several lines: a text of its own must not add any.
		status: (text) => tell(`STATUS=${text.replace(/\s+/g, ' ')}`),
		extendStart: (ms) => tell(`EXTEND_TIMEOUT_USEC=${Math.round(ms * 1000)}`),
		alive: () => tell('WATCHDOG=1'),
		stopping: () => tell('STOPPING=1'),
	};
}
