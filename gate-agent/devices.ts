import type { DeviceSettings, GateConfig, LaneSettings } from './config.ts';
import { boardName } from './config-wiring.ts';
import type { Device, Feedback, InputRole, InputStates, Inputs, Relay, Scanner, Signal } from './core/device.ts';
import { StilewardError } from './core/errors.ts';
import type { Direction } from './core/redemption.ts';
import type { Scan } from './core/scan.ts';
import { type AgentIo, drivers } from './drivers.ts';
import type { PlugWatch } from './plug-watch.ts';
import { type DeviceState, type Supervised, supervise } from './supervisor.ts';

/** What devices tell the lanes. */
export interface DeviceEvents {
	readonly onScan: (lane: string, side: Direction, scan: Scan) => void;
	readonly onInput: (lane: string, role: InputRole, active: boolean) => void;
	/** The contacts of the lane were not read for a while. */
	readonly onUnseen: (lane: string) => void;
	/** The input board was opened (its states), or lost (undefined). */
	readonly onInputs: (lane: string, states: InputStates | undefined) => void;
	readonly onState: (change: DeviceChange) => void;
}

/** A device of some lanes has another state. */
export interface DeviceChange {
	readonly device: string;
	readonly kind: 'relay' | 'other';
	readonly lanes: readonly string[];
	readonly state: DeviceState;
}

/** The devices of an agent, each opened again by itself when it is lost. */
export interface DeviceSet {
	/** Names of the essential devices of a lane that are not ready. Lamps are not essential. */
	missing(lane: string): readonly string[];
	relay(lane: string): Relay | undefined;
	/** The relay boards that are open. */
	openRelays(): readonly { readonly name: string; readonly relay: Relay }[];
	/** Tells the lamps of a lane, and the scanners that show a verdict themselves. */
	signal(lane: string, signal: Signal): void;
	readonly states: Readonly<Record<string, DeviceState>>;
	/** What an open device tells of itself. */
	details(device: string): Readonly<Record<string, string | number>>;
	close(): Promise<void>;
}

/** What opens devices: the surroundings of drivers, and a source of jitter. */
export interface DeviceDeps {
	readonly io: (device: string) => AgentIo;
	readonly events: DeviceEvents;
	readonly random: () => number;
	/** Notices what is plugged in. */
	readonly plugs: PlugWatch;
}

interface Slot {
	readonly name: string;
	readonly lanes: readonly string[];
	/** A lane is closed without it. */
	readonly essential: boolean;
	readonly kind: DeviceChange['kind'];
	readonly supervised: Supervised<Device>;
}

/** Opens all devices of a configuration. Lanes that name the same board share it. */
export function openDevices(config: GateConfig, deps: DeviceDeps): DeviceSet {
	const boards = relayBoards(config.lanes);
	const relays = new Map<string, Supervised<Relay>>();
	const slots: Slot[] = [];
	const add = <D extends Device>(slot: Omit<Slot, 'supervised'>, open: Opening<D>): Supervised<D> => {
		const supervised = supervise<D>({
			name: slot.name,
			random: deps.random,
			plugged: deps.plugs.plugged,
			open: () => open.open(deps.io(slot.name)),
			...(open.prepare && { prepare: open.prepare }),
			onState: (state) => {
				open.onState?.(state);
				deps.events.onState({ device: slot.name, kind: slot.kind, lanes: slot.lanes, state });
			},
		});
		slots.push({ ...slot, supervised });
		return supervised;
	};
	for (const board of boards) {
		const slot = {
			name: board.name,
			lanes: board.lanes.map(({ lane }) => lane.id),
			essential: true,
			kind: 'relay',
		} as const;
		const { driver, options } = board.settings;
		const relay = add<Relay>(slot, { open: (io) => table(drivers.relays, driver).open(options, io) });
		for (const { lane } of board.lanes) relays.set(lane.id, relay);
	}
	const signaled: { readonly lane: string; readonly supervised: Supervised<Scanner | Feedback> }[] = [];
	for (const settings of config.lanes) {
		const { id } = settings.lane;
		const slot = (name: string, essential = true) =>
			({ name: `${id}.${name}`, lanes: [id], essential, kind: 'other' }) as const;
		const addScanner = (name: string, device: DeviceSettings, on: Direction) => {
			const opening = scannerOpening(device, (scan) => deps.events.onScan(id, on, scan));
			signaled.push({ lane: id, supervised: add(slot(name), opening) });
		};
		addScanner('scanner', settings.scanner, side(settings));
		if (settings.exitScanner) addScanner('exit_scanner', settings.exitScanner, 'exit');
		if (settings.inputs) add(slot('inputs'), inputsOpening(id, settings.inputs, deps.events));
		if (settings.feedback) {
			const relay = () => relays.get(id)?.device;
			const lamps = add(slot('feedback', false), feedbackOpening(settings.feedback, relay));
			signaled.push({ lane: id, supervised: lamps });
		}
	}
	return {
		missing: (lane) => missingOf(slots, lane),
		relay: (lane) => relays.get(lane)?.device,
		openRelays: () =>
			[...new Set(relays.values())].flatMap(({ name, device: relay }) => (relay ? [{ name, relay }] : [])),
		signal: (lane, signal) => {
			for (const told of signaled) if (told.lane === lane) told.supervised.device?.signal?.(signal);
		},
		get states() {
			return Object.fromEntries(slots.map(({ name, supervised }) => [name, supervised.state]));
		},
		details: (device) => slots.find(({ name }) => name === device)?.supervised.device?.details?.() ?? {},
		close: async () => {
			// The relay boards were opened first and close last, so that lamps can be switched off.
			for (const { supervised } of slots.toReversed()) await supervised.close();
			deps.plugs.close();
		},
	};
}

function missingOf(slots: readonly Slot[], lane: string): readonly string[] {
	const isMissing = ({ essential, lanes, supervised }: Slot) =>
		essential && lanes.includes(lane) && supervised.state.kind !== 'ready';
	return slots.filter(isMissing).map(({ name }) => name);
}

/** The side that a lane's one scanner stands on. */
function side({ lane, exitScanner }: LaneSettings): Direction {
	return lane.mode === 'exit' && !exitScanner ? 'exit' : 'entry';
}

/** How one kind of device is opened and watched. */
interface Opening<D extends Device> {
	readonly open: (io: AgentIo) => Promise<D>;
	readonly prepare?: (device: D) => Promise<void>;
	readonly onState?: (state: DeviceState) => void;
}

function scannerOpening({ driver, options }: DeviceSettings, onScan: (scan: Scan) => void): Opening<Scanner> {
	return { open: (io) => table(drivers.scanners, driver).open(options, { ...io, onScan }) };
}

function inputsOpening(lane: string, { driver, options }: DeviceSettings, events: DeviceEvents): Opening<Inputs> {
	const onChange = (role: InputRole, active: boolean) => events.onInput(lane, role, active);
	const onUnseen = () => events.onUnseen(lane);
	return {
		open: (io) => table(drivers.inputs, driver).open(options, { ...io, onChange, onUnseen }),
		// The lane knows its fire input before its relay is touched: it learns the states before `ready`.
		prepare: async (board) => events.onInputs(lane, await board.read()),
		onState: ({ kind }) => {
			if (kind !== 'ready') events.onInputs(lane, undefined);
		},
	};
}

function feedbackOpening({ driver, options }: DeviceSettings, relay: () => Relay | undefined): Opening<Feedback> {
	return {
		open: async (io) => {
			const board = relay();
			if (!board) throw new StilewardError('device_absent', 'the relay board of the lamps is not open');
			return table(drivers.feedback, driver).open(options, { ...io, relay: board });
		},
	};
}

/** One board of relays and the lanes that it opens. */
export interface RelayBoard {
	readonly name: string;
	readonly settings: DeviceSettings;
	readonly lanes: readonly GatedLane[];
}

type GatedLane = LaneSettings & Required<Pick<LaneSettings, 'relay'>>;

function isGated(lane: LaneSettings): lane is GatedLane {
	return lane.relay !== undefined;
}

/** The boards of a configuration; lanes that name the same one share it. */
export function relayBoards(lanes: readonly LaneSettings[]): readonly RelayBoard[] {
	const boards = new Map<string, GatedLane[]>();
	for (const lane of lanes) {
		if (!isGated(lane)) continue;
		const key = boardName(lane.relay);
		boards.set(key, [...(boards.get(key) ?? []), lane]);
	}
	return [...boards.values()].map((sharing) => {
		const [first] = sharing as [GatedLane];
		return { name: `${first.lane.id}.relay`, settings: first.relay, lanes: sharing };
	});
}

function table<Driver>(known: Readonly<Record<string, Driver>>, name: string): Driver {
	const driver = known[name];
	// The configuration was checked against these tables.
	if (!driver) throw new Error(`assertion failed: no driver ${name}`);
	return driver;
}
