import type { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { emulateLcus } from '../../gate-agent/emulators/lcus-emulator.ts';
import type { EmulatedLine } from '../../gate-agent/emulators/pty.ts';
import { emulateWaveshare } from '../../gate-agent/emulators/waveshare-emulator.ts';
import type { HostAnswer, HostRequest, PluggedDevice } from './host-requests.ts';
import { keyEvents } from './key-events.ts';
import { connectTo, openQmp, type Qmp } from './qmp.ts';

/** Where the ends of the guest's devices lie: sockets in a folder. */
export interface HostServices {
	/** Arguments of QEMU that make the devices' far ends. */
	readonly devices: readonly string[];
	/** Serves the guest's requests until its machine ends. */
	serve(): Promise<void>;
	/** Connects to the world instead, for a host that acts by itself. */
	connect(): Promise<World>;
}

/** The world around a guest, in the hands of the host. */
export interface World {
	/** The guest's second serial port. */
	readonly guest: Socket;
	obey(request: HostRequest): Promise<HostAnswer>;
}

/** Serial adapters under test, each with what stands behind it. */
const adapters = ['scanner', 'relay', 'bus'] as const;

/**
 * The world around the guest's devices: plugs and unplugs them, plays the scanner and the boards at the far ends of
 * their lines, presses keys. It obeys a closed list of requests and nothing else.
 */
export function createHostServices(dir: string): HostServices {
	const socket = (name: string) => join(dir, `${name}.sock`);
	const listening = (name: string) => `socket,id=${name},path=${socket(name)},server=on,wait=off`;
	const connect = async (): Promise<World> => {
		const qmp = await openQmp(socket('qmp'));
		const lines = new Map<string, Socket>();
		for (const name of adapters) lines.set(name, await connectTo(socket(name)));
		return { guest: await connectTo(socket('host')), obey: createWorld(qmp, lines) };
	};
	return {
		connect,
		devices: [
			...['-qmp', `unix:${socket('qmp')},server=on,wait=off`],
			...['-chardev', listening('host'), '-serial', 'chardev:host'],
			...['-device', 'qemu-xhci,id=xhci'],
			...adapters.flatMap((name) => ['-chardev', listening(name)]),
		],
		serve: async () => {
			const { guest, obey } = await connect();
			serveRequests(guest, obey);
		},
	};
}

function serveRequests(guest: Socket, obey: (request: HostRequest) => Promise<HostAnswer>): void {
	guest.on('error', () => {});
	createInterface({ input: guest }).on('line', async (line) => {
		const { id, request } = JSON.parse(line) as { readonly id: number; readonly request: HostRequest };
		const answer = await obey(request).catch((error: unknown): HostAnswer => ({ error: String(error) }));
		guest.write(`${JSON.stringify({ id, answer })}\n`);
	});
}

function createWorld(qmp: Qmp, sockets: ReadonlyMap<string, Socket>) {
	const plugs = createPlugs(qmp);
	const line = (name: (typeof adapters)[number]): EmulatedLine => {
		const socket = sockets.get(name);
		if (socket === undefined) throw new Error(`there is no line ${name}`);
		return lineOver(socket, plugs, name);
	};
	const scanner = line('scanner');
	const relay = emulateLcus(line('relay'), { channels: 2 });
	const bus = emulateWaveshare(line('bus'), { channels: 8 });
	return async (request: HostRequest): Promise<HostAnswer> => {
		switch (request.do) {
			case 'plug':
				if (request.device === 'relay') await relay.replug();
				else await plugs.plug(request.device);
				return {};
			case 'unplug':
				// A board that is fed by its plug lets its coils fall.
				if (request.device === 'relay') await relay.unplug();
				else await plugs.unplug(request.device);
				return {};
			case 'send':
				await scanner.write(Buffer.from(request.hex, 'hex'));
				return {};
			case 'board': {
				const { edges } = request.board === 'relay' ? relay : bus;
				return { edges: [...edges], nowMs: performance.now() };
			}
			case 'contact':
				bus.setInput(request.channel, request.active);
				return {};
			case 'type':
				for (const events of keyEvents(request.text)) {
					await qmp.execute('input-send-event', { events });
					await sleep(request.gapMs);
				}
				return {};
		}
	};
}

/** A device gets a new id with each plugging: QEMU forgets the old one only when its driver has let go. */
function createPlugs(qmp: Qmp) {
	const plugged = new Map<PluggedDevice, string>();
	let count = 0;
	return {
		plug: async (device: PluggedDevice) => {
			if (plugged.has(device)) return;
			count += 1;
			const id = `${device}-${count}`;
			const kind =
				device === 'keyboard'
					? { driver: 'usb-kbd', serial: 'KEYBOARD1' }
					: { driver: 'usb-serial', chardev: device, serial: `LAB-${device.toUpperCase()}`, 'always-plugged': true };
			await qmp.execute('device_add', { ...kind, id, bus: 'xhci.0' });
			plugged.set(device, id);
		},
		unplug: async (device: PluggedDevice) => {
			const id = plugged.get(device);
			plugged.delete(device);
			if (id !== undefined) await qmp.execute('device_del', { id });
		},
	};
}

/** The far end of a serial adapter: bytes that are sent while it is unplugged go nowhere, as in life. */
function lineOver(socket: Socket, plugs: ReturnType<typeof createPlugs>, device: PluggedDevice): EmulatedLine {
	socket.on('error', () => {});
	return {
		write: async (bytes) => void socket.write(bytes),
		onData: (handler) => void socket.on('data', handler),
		unplug: () => plugs.unplug(device),
		replug: () => plugs.plug(device),
	};
}
