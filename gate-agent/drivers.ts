import type { TObject } from 'typebox';
import type { BleAdapters } from '../handheld/ble/adapters.ts';
import type {
	Device,
	Driver,
	DriverIo,
	Feedback,
	InputEvents,
	Inputs,
	Relay,
	Scanner,
	ScannerEvents,
} from './core/device.ts';
import { relayChannels } from './feedback/relay-channels.ts';
import { gpioInputs } from './inputs/gpio.ts';
import { modbusDiscrete } from './inputs/modbus-discrete.ts';
import { modbusTcpInputs } from './inputs/modbus-tcp.ts';
import { type SimulatedContacts, simulatedInputs } from './inputs/simulated.ts';
import { gpioRelay } from './relays/gpio.ts';
import { hidDcttech } from './relays/hid-dcttech.ts';
import { modbusTcpRelay } from './relays/modbus-tcp.ts';
import { modbusWaveshare } from './relays/modbus-waveshare.ts';
import { serialLcus } from './relays/serial-lcus.ts';
import { type SimulatedCoils, simulatedRelay } from './relays/simulated.ts';
import { ble } from './scanners/ble.ts';
import { growGm } from './scanners/grow-gm.ts';
import { hidKeyboard } from './scanners/hid-keyboard.ts';
import { hidPos } from './scanners/hid-pos.ts';
import { newland } from './scanners/newland.ts';
import { replay } from './scanners/replay.ts';
import { serialLine } from './scanners/serial-line.ts';
import { ssi } from './scanners/ssi.ts';
import type { Buses } from './serial/buses.ts';

/** What every driver of an agent may use: shared buses and Bluetooth adapters, and for simulated devices the turnstile behind them. */
export type AgentIo = DriverIo & Simulation & { readonly buses: Buses; readonly adapters: BleAdapters };

/** The turnstile behind simulated devices. */
export type Simulation = SimulatedCoils & { readonly contacts: SimulatedContacts };

/** Lamps are switched by the lane's own relay board. */
export type FeedbackIo = { readonly relay: Relay };

/** A driver as the configuration knows it: its own schema has checked the options that it is opened with. */
export interface ConfiguredDriver<Io, Opened extends Device> {
	readonly name: string;
	readonly options: TObject;
	open(options: Readonly<Record<string, unknown>>, io: Io): Promise<Opened>;
}

/** Drivers of one kind, by the name that a configuration gives. */
export type DriverTable<Io, Opened extends Device> = Readonly<Record<string, ConfiguredDriver<Io, Opened>>>;

/** All drivers of an agent. A new one is added here, and nowhere else. */
export const drivers: {
	readonly scanners: DriverTable<AgentIo & ScannerEvents, Scanner>;
	readonly relays: DriverTable<AgentIo, Relay>;
	readonly inputs: DriverTable<AgentIo & InputEvents, Inputs>;
	readonly feedback: DriverTable<AgentIo & FeedbackIo, Feedback>;
} = {
	scanners: {
		[serialLine.name]: configured(serialLine),
		[growGm.name]: configured(growGm),
		[hidPos.name]: configured(hidPos),
		[hidKeyboard.name]: configured(hidKeyboard),
		[newland.name]: configured(newland),
		[ssi.name]: configured(ssi),
		[ble.name]: configured(ble),
		[replay.name]: configured(replay),
	},
	relays: {
		[modbusWaveshare.name]: configured(modbusWaveshare),
		[modbusTcpRelay.name]: configured(modbusTcpRelay),
		[serialLcus.name]: configured(serialLcus),
		[hidDcttech.name]: configured(hidDcttech),
		[gpioRelay.name]: configured(gpioRelay),
		[simulatedRelay.name]: configured(simulatedRelay),
	},
	inputs: {
		[modbusDiscrete.name]: configured(modbusDiscrete),
		[modbusTcpInputs.name]: configured(modbusTcpInputs),
		[gpioInputs.name]: configured(gpioInputs),
		[simulatedInputs.name]: configured(simulatedInputs),
	},
	feedback: { [relayChannels.name]: configured(relayChannels) },
};

/** Options are plain data until the driver's own schema has checked them; `config.ts` sees to that. */
function configured<Options, Events, Opened extends Device>(
	driver: Driver<Options, Events, Opened>,
): ConfiguredDriver<DriverIo & Events, Opened> {
	return {
		name: driver.name,
		options: driver.options as TObject,
		open: (options, io) => driver.open(options as Options, io),
	};
}
