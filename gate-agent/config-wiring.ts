import type { GateFrame } from './config-schema.ts';
import type { Problem } from './config-source.ts';

type Lane = GateFrame['lanes'][number];
type Options = Readonly<Record<string, unknown>>;

/**
 * What is wrong with how the devices of all lanes are wired together: two uses of one relay channel, a lamp on a channel
 * that opens a gate or that its board does not have, two devices on one serial port. The devices were checked one by
 * one before, and their defaults are filled in.
 */
export function wiringProblems({ lanes }: GateFrame): Problem[] {
	const gates = lanes.flatMap(gateChannels);
	const lamps = lanes.flatMap(lampChannels);
	return [...offBoard([...gates, ...lamps]), ...channelClashes(gates, lamps), ...portClashes(lanes)];
}

/** The same name for settings of the same board, in whatever order its options are written. */
export function boardName({ driver, options }: { readonly driver: string; readonly options: Options }): string {
	const sorted = Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1));
	return JSON.stringify([driver, sorted]);
}

/** One use of a channel of a relay board. */
interface ChannelUse {
	readonly path: string;
	readonly lane: string;
	readonly board: string;
	readonly channel: number;
	/** How many the board has. */
	readonly channels: unknown;
}

function boardOf({ id, relay = { driver: 'none' } }: Lane): Pick<ChannelUse, 'lane' | 'board' | 'channels'> {
	const { driver, channel: _, exitChannel: __, pulseMs: ___, ...options } = relay as { driver: string } & Options;
	return { lane: id, board: boardName({ driver, options }), channels: channelsOf(options) };
}

/** What the board has; a GPIO relay has a channel for each of its lines. */
function channelsOf({ channels, lines }: Options): unknown {
	return channels ?? (Array.isArray(lines) ? lines.length : undefined);
}

function gateChannels(lane: Lane, index: number): ChannelUse[] {
	const relay: Options = lane.relay ?? {};
	const uses = ['channel', 'exitChannel'].map((key) => ({ key, channel: relay[key] }));
	// One channel may open both ways.
	return uses
		.filter(({ key, channel }) => channel !== undefined && (key === 'channel' || channel !== relay.channel))
		.map(({ key, channel }) => ({ ...boardOf(lane), path: `lanes.${index}.relay.${key}`, channel: Number(channel) }));
}

function lampChannels(lane: Lane, index: number): ChannelUse[] {
	const { driver: _, ...signals } = lane.feedback ?? { driver: undefined };
	return Object.entries(signals as Options).flatMap(([signal, lamps]) =>
		// The schema of the driver has said that each signal has a list of lamps.
		((lamps ?? []) as readonly { readonly channel: number }[]).map(({ channel }, n) => ({
			...boardOf(lane),
			path: `lanes.${index}.feedback.${signal}.${n}.channel`,
			channel,
		})),
	);
}

function offBoard(uses: readonly ChannelUse[]): Problem[] {
	return uses
		.filter(({ channel, channels }) => typeof channels === 'number' && channel > channels)
		.map(({ path, channels }) => ({
			path,
			message: `is not on a board of ${channels}`,
			fix: 'correct it, or set `channels` to what the board has',
		}));
}

function channelClashes(gates: readonly ChannelUse[], lamps: readonly ChannelUse[]): Problem[] {
	const same = (use: ChannelUse) => (other: ChannelUse) => other.board === use.board && other.channel === use.channel;
	const gateClashes = gates.flatMap((use, at) => {
		const first = gates.slice(0, at).find(same(use));
		const message = `is channel ${use.channel}, which opens ${first?.lane} already`;
		return first ? [{ path: use.path, message, fix: 'give each lane a channel of its own' }] : [];
	});
	const lampClashes = lamps.flatMap((use, at) => {
		const fix = 'use a spare channel';
		const gate = gates.find(same(use));
		if (gate) return [{ path: use.path, message: `is channel ${use.channel}, which opens ${gate.lane}`, fix }];
		// The lamps of one lane are switched by one hand; two lanes would switch a common lamp against each other.
		const other = lamps.slice(0, at).find((lamp) => same(use)(lamp) && lamp.lane !== use.lane);
		return other ? [{ path: use.path, message: `is channel ${use.channel}, a lamp of ${other.lane}`, fix }] : [];
	});
	return [...gateClashes, ...lampClashes];
}

/** One device on a serial port. `address` tells the stations of a bus apart. */
interface PortUse {
	readonly path: string;
	readonly port: string;
	readonly kind: 'relay' | 'other';
	readonly options: Options;
	readonly board: string;
}

function portUses(lane: Lane, index: number): PortUse[] {
	return (['scanner', 'exitScanner', 'relay', 'inputs'] as const).flatMap((slot): PortUse[] => {
		const options: Options = lane[slot] ?? {};
		// A driver without a speed does not open a port: its path is a file.
		if (typeof options.path !== 'string' || options.baudRate === undefined) return [];
		const kind = slot === 'relay' ? 'relay' : 'other';
		const board = slot === 'relay' ? boardOf(lane).board : `${slot} of ${lane.id}`;
		return [{ path: `lanes.${index}.${slot}`, port: options.path, kind, options, board }];
	});
}

function portClashes(lanes: readonly Lane[]): Problem[] {
	const uses = lanes.flatMap(portUses);
	return uses.flatMap((use, at) => {
		const first = uses.slice(0, at).find(({ port }) => port === use.port);
		if (!first || first.board === use.board) return [];
		const problem = sharing(first, use);
		return problem ? [{ path: `${use.path}.path`, ...problem }] : [];
	});
}

/** What forbids two devices on one port; nothing where they are stations of one bus. */
function sharing(first: PortUse, use: PortUse): Omit<Problem, 'path'> | undefined {
	const bothAre = (kind: PortUse['kind']) => first.kind === kind && use.kind === kind;
	const isBus = first.options.address !== undefined && use.options.address !== undefined;
	if (isBus && (first.options.baudRate !== use.options.baudRate || first.options.parity !== use.options.parity)) {
		return { message: `is the bus of ${first.path}`, fix: 'give both the same baudRate and parity' };
	}
	if (bothAre('relay') && first.options.address === use.options.address) {
		return {
			message: `is the board of ${first.path} with other options`,
			fix: 'write the same options for both lanes',
		};
	}
	if (isBus) return undefined;
	return { message: `is the port of ${first.path}`, fix: 'give each device a port of its own' };
}
