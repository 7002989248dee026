import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type DeviceModel, readModels } from './device-models.ts';
import { driversOf, pluggedDevices, snippetOf } from './plugged-devices.ts';

/** A machine with one USB serial port, as its kernel shows it. */
function machineWith(idVendor: string, idProduct: string) {
	const root = mkdtempSync(join(tmpdir(), 'stileward-plugged-'));
	onTestFinished(() => rmSync(root, { recursive: true, force: true }));
	const roots = { sys: join(root, 'sys'), dev: join(root, 'dev') };
	const usb = join(roots.sys, 'devices', 'usb1', '1-1');
	const [tty, shown] = [join(usb, '1-1:1.0', 'ttyACM0'), join(roots.sys, 'class', 'tty', 'ttyACM0')];
	const buses = join(roots.sys, 'bus', 'usb', 'devices');
	for (const folder of [tty, shown, buses, roots.dev]) mkdirSync(folder, { recursive: true });
	for (const [file, text] of Object.entries({ idVendor, idProduct })) writeFileSync(join(usb, file), `${text}\n`);
	symlinkSync(tty, join(shown, 'device'));
	symlinkSync(usb, join(buses, '1-1'));
	writeFileSync(join(roots.dev, 'ttyACM0'), '');
	return roots;
}

describe('what is plugged in', () => {
	it('a scanner that speaks SSI on a USB serial port is of its model', async () => {
		const roots = machineWith('05e0', '1701');
		const devices = await pluggedDevices(roots);
		const [device] = devices.filter(({ kind }) => kind === 'serial');
		const path = join(roots.dev, 'ttyACM0');
		expect(device).toMatchObject({ path, id: '05e0:1701', models: [{ name: 'zebra-ssi' }] });
		expect(device && snippetOf(device, device.models[0])).toBe(`scanner: { model: zebra-ssi, path: "${path}" }`);
	});

	it('a serial port of no known model is listed without one', async () => {
		const [device] = await pluggedDevices(machineWith('ffff', '0001'));
		expect(device).toMatchObject({ kind: 'serial', id: 'ffff:0001', models: [] });
	});

	it.each(modelsThatPlugIn().map((model) => [model.name, model] as const))(
		'%s can be found by what it is plugged into',
		(_name, { driver }) => {
			expect(Object.values(driversOf).flat()).toContain(driver);
		},
	);
});

/** What is reached by Ethernet or by radio is plugged into no port of this machine. */
const unplugged: ReadonlySet<string> = new Set(['modbus-tcp', 'ble']);

function modelsThatPlugIn(): readonly DeviceModel[] {
	return [...readModels('scanners'), ...readModels('relays')].filter(({ driver }) => !unplugged.has(driver));
}
