import type { Browser, CDPSession, Page } from 'playwright-core';
import { nordicUart } from './uart-profile.ts';

const address = '09:09:09:09:09:09';
/** The descriptor that turns notifications on (Client Characteristic Configuration). */
const configuration = '00002902-0000-1000-8000-00805f9b34fb';

/** A scanner with Nordic's UART as Chromium's own Bluetooth emulation has it: all of the browser's stack is real. */
export interface EmulatedScanner {
	/** What was asked of the scanner, in order: `connection`, `discovery`, `subscribe-to-notifications`, writes in hex. */
	readonly asked: string[];
	/** Whether the scanner lets itself be connected. */
	isInReach: boolean;
	/** The radio of the handheld. */
	setRadio(state: 'absent' | 'powered-on'): Promise<void>;
	/** What the person does with the browser's list once it shows the scanner. */
	choose(page: Page, answer: 'select' | 'cancel'): Promise<void>;
	/** Sends a piece of the line to the page that `choose` was called for. */
	notify(page: Page, piece: string): Promise<void>;
	loseLink(): Promise<void>;
}

/** Chromium needs `--enable-features=WebBluetooth` on Linux. One scanner for one browser. */
export async function emulateScanner(browser: Browser): Promise<EmulatedScanner> {
	const cdp = await browser.newBrowserCDPSession();
	const asked: string[] = [];
	let notifyId = '';
	const scanner: EmulatedScanner = {
		asked,
		isInReach: true,
		setRadio: async (state) => {
			await cdp.send('BluetoothEmulation.setSimulatedCentralState', { state });
		},
		choose,
		notify: (page, piece) => tell(page, cdp, { characteristicId: notifyId, piece }),
		loseLink: async () => {
			await cdp.send('BluetoothEmulation.simulateGATTDisconnection', { address });
		},
	};
	cdp.on('BluetoothEmulation.gattOperationReceived', async ({ type }) => {
		asked.push(type);
		if (type === 'discovery') notifyId = await addService(cdp);
		// 0x3e: connection failed to be established.
		const code = scanner.isInReach ? 0 : 0x3e;
		await cdp.send('BluetoothEmulation.simulateGATTOperationResponse', { address, type, code });
	});
	cdp.on('BluetoothEmulation.characteristicOperationReceived', async ({ characteristicId, type, data }) => {
		if (type === 'read') return;
		asked.push(type === 'write' ? Buffer.from(data ?? '', 'base64').toString('hex') : type);
		const response = { characteristicId, type, code: 0 };
		await cdp.send('BluetoothEmulation.simulateCharacteristicOperationResponse', response);
	});
	await cdp.send('BluetoothEmulation.enable', { state: 'powered-on', leSupported: true });
	const known = { address, name: 'BT-1', manufacturerData: [], knownServiceUuids: [nordicUart.service] };
	await cdp.send('BluetoothEmulation.simulatePreconnectedPeripheral', known);
	return scanner;
}

/** Answers the characteristic that notifies. */
async function addService(cdp: CDPSession): Promise<string> {
	const { service, notify, write = '' } = nordicUart;
	const { serviceId } = await cdp.send('BluetoothEmulation.addService', { address, serviceUuid: service });
	const add = async (characteristicUuid: string, properties: Readonly<Record<string, boolean>>) => {
		const asked = { serviceId, characteristicUuid, properties };
		return (await cdp.send('BluetoothEmulation.addCharacteristic', asked)).characteristicId;
	};
	const characteristicId = await add(notify, { notify: true, read: true });
	await cdp.send('BluetoothEmulation.addDescriptor', { characteristicId, descriptorUuid: configuration });
	await add(write, { write: true, writeWithoutResponse: true });
	return characteristicId;
}

async function choose(page: Page, answer: 'select' | 'cancel'): Promise<void> {
	await page.evaluate(() => {
		const { bluetooth } = navigator as unknown as { bluetooth: { requestDevice(options: object): Promise<object> } };
		const requestDevice = bluetooth.requestDevice.bind(bluetooth);
		bluetooth.requestDevice = async (options) => {
			const device = await requestDevice(options);
			return Object.assign(window, { device }).device;
		};
	});
	const cdp = await page.context().newCDPSession(page);
	// The list is told again whenever it changes, and may be answered once.
	cdp.once('DeviceAccess.deviceRequestPrompted', async ({ id, devices: [device] }) => {
		if (answer === 'cancel' || device === undefined) await cdp.send('DeviceAccess.cancelPrompt', { id });
		else await cdp.send('DeviceAccess.selectPrompt', { id, deviceId: device.id });
	});
	await cdp.send('DeviceAccess.enable');
}

/** The emulation sends nothing by itself, but what is read fires the same event at the same characteristic. */
async function tell(
	page: Page,
	cdp: CDPSession,
	{ characteristicId, piece }: { readonly characteristicId: string; readonly piece: string },
): Promise<void> {
	const reading = new Promise((resolve) => cdp.once('BluetoothEmulation.characteristicOperationReceived', resolve));
	const read = page.evaluate(async ({ service, notify }) => {
		const { gatt } = (window as unknown as { device: import('./web-bluetooth.ts').WebBluetoothDevice }).device;
		const line = await (await gatt?.getPrimaryService(service))?.getCharacteristic(notify);
		// The cast: what is used of a scanner has no reading.
		await (line as unknown as { readValue(): Promise<DataView> }).readValue();
	}, nordicUart);
	await reading;
	const data = Buffer.from(piece).toString('base64');
	const response = { characteristicId, type: 'read' as const, code: 0, data };
	await cdp.send('BluetoothEmulation.simulateCharacteristicOperationResponse', response);
	await read;
}
