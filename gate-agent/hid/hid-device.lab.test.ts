import { expect, onTestFinished, test } from 'vitest';
import { openHidRelayEmulator } from '../emulators/hid-relay-emulator.ts';
import { listHidraw } from '../nodes/hidraw.ts';
import { untilThere } from '../nodes/until-there.suite.ts';
import { openHidDevice } from './hid-device.ts';

test('a device that is closed in the moment of its opening throws at nobody', async () => {
	const board = openHidRelayEmulator();
	onTestFinished(() => board.close());
	const device = await untilThere(async () => openHidDevice((await listHidraw())[0]?.path ?? '', () => {}));
	await device.close();
	await expect(device.write(Uint8Array.of(0, 1), 100)).rejects.toMatchObject({ code: 'device_lost' });
});
