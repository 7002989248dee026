import { setTimeout as delay } from 'node:timers/promises';
import { type PosModel, posModels } from './hid-pos-models.ts';
import { plugInUhid, type UhidDevice } from './uhid.ts';

/** A scanner in HID POS mode on a virtual USB port. */
export interface HidPosEmulator {
	readonly model: PosModel;
	/** Reads a code once. A code that begins with an AIM identifier gives it as the scanner tells it. */
	present(code: string): Promise<void>;
	/** Sends the first reports of a code and no more, as a scanner does that is pulled meanwhile. */
	presentPart(code: string, reports: number): Promise<void>;
	/** What it was told to beep. */
	readonly beeps: readonly ('good' | 'bad')[];
	/** Whether it is a keyboard yet, as it leaves the factory. */
	readonly isKeyboard: boolean;
	unplug(): Promise<void>;
	replug(): Promise<void>;
	close(): void;
}

/** A scanner sends a report at each poll of the bus, ms. */
const pollMs = 1;

/** Plugs a scanner in. Errors: those of `plugInUhid`. */
export function openHidPosEmulator(
	name: keyof typeof posModels,
	options: { readonly serial?: string; readonly asKeyboard?: boolean } = {},
): HidPosEmulator {
	const model: PosModel = posModels[name];
	const { serial = 'POS-1', asKeyboard = false } = options;
	const beeps: ('good' | 'bad')[] = [];
	let isKeyboard = asKeyboard;
	let device: UhidDevice | undefined;

	const unplug = () => {
		device?.destroy();
		device = undefined;
	};
	const plug = () => {
		device ??= plugInUhid({
			...{ name: model.name, vendorId: model.vendorId, productId: model.productId, serial },
			...{ port: 'usb-lab-scanner/input0', descriptor: isKeyboard ? model.keyboard : model.descriptor },
			onOutput: (report) => {
				const beep = model.beepOf(report);
				if (beep !== undefined) beeps.push(beep);
			},
			onSet: (_, report) => {
				const isSwitch = isKeyboard && report[0] === 0xfe && report[1] === 1;
				if (!isSwitch) return false;
				isKeyboard = false;
				// It comes back as another device.
				setImmediate(() => {
					unplug();
					plug();
				});
				return true;
			},
		});
	};
	const send = async (reports: readonly Uint8Array[]) => {
		for (const report of reports) {
			device?.input(report);
			await delay(pollMs);
		}
	};
	plug();
	return {
		model,
		present: (code) => send(model.reportsOf(code)),
		presentPart: (code, reports) => send(model.reportsOf(code).slice(0, reports)),
		beeps,
		get isKeyboard() {
			return isKeyboard;
		},
		unplug: async () => unplug(),
		replug: async () => plug(),
		close: unplug,
	};
}
