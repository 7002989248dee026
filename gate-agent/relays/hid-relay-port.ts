import { StilewardError } from '../core/errors.ts';
import { type HidDevice, openHidDevice } from '../hid/hid-device.ts';
import { chooseNode, type NodeChoice } from '../nodes/choose-node.ts';
import { type HidrawNode, listHidraw } from '../nodes/hidraw.ts';
import type { CoilPort } from './coil-port.ts';
import { type HidRelayBoard, type HidRelayProtocol, hidRelayBoards } from './hid-relay-boards.ts';

/** Which HID relay board. `serial` is the board's own, which stands in its report and not in its USB descriptor. */
export interface HidRelayOptions extends NodeChoice {
	readonly protocol: HidRelayProtocol;
}

/** USB takes a report within some milliseconds; a stalled host may need some more. */
const reportTimeoutMs = 800;

/**
 * Opens a HID relay board: the one of its kind, or the one with this serial. An order is confirmed by the board's own word
 * where it has one. Rejects as `openHidDevice` does, and with `device_protocol` where the board says another state.
 */
export async function openHidRelayPort(options: HidRelayOptions): Promise<CoilPort> {
	const board: HidRelayBoard = hidRelayBoards[options.protocol];
	const device = await openBoard(options, board);
	const read = async () => (await tellsOf(device, board))?.coils;
	// One order at a time: the state that is read back must be that of its own order.
	let last: Promise<unknown> = Promise.resolve();
	const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
		const run = last.then(work, work);
		last = run.catch(() => {});
		return run;
	};
	return {
		lost: device.lost,
		read: () => inTurn(read),
		write: (channel, closed) =>
			inTurn(async () => {
				await device.sendFeature(Uint8Array.of(0, ...board.order(channel, closed)), reportTimeoutMs);
				const coils = await read();
				if (coils === undefined || coils[channel - 1] === closed) return;
				const says = closed ? 'open' : 'closed';
				throw new StilewardError('device_protocol', `coil ${channel} of ${device.path} reads ${says} after the order`);
			}),
	};
}

async function openBoard(options: HidRelayOptions, board: HidRelayBoard): Promise<HidDevice> {
	const { path, serial, ...choice } = options;
	if (path !== undefined) return openHidDevice(path, () => {});
	const nodes = (await listHidraw()).filter(({ name }) => board.product.test(name));
	if (serial === undefined || board.tells === undefined) {
		return openHidDevice(chooseNode(nodes, { ...choice, ...(serial && { serial }) }, 'relay board').path, () => {});
	}
	return openWithSerial(
		nodes.filter((node) => isMeant(node, choice)),
		board,
		serial,
	);
}

function isMeant({ vendorId, productId, port }: HidrawNode, { device, port: wanted }: NodeChoice): boolean {
	return (device === undefined || device === `${vendorId}:${productId}`) && (wanted === undefined || wanted === port);
}

/** Asks each board for its serial; a board that another program holds is not ours. */
async function openWithSerial(nodes: readonly HidrawNode[], board: HidRelayBoard, serial: string): Promise<HidDevice> {
	let busy: unknown;
	for (const { path } of nodes) {
		const device = await openHidDevice(path, () => {}).catch((error: unknown) => {
			busy = error;
		});
		if (device === undefined) continue;
		const told = await tellsOf(device, board).catch(() => undefined);
		if (told?.serial === serial) return device;
		await device.close();
	}
	throw busy ?? new StilewardError('device_absent', `there is no relay board with the serial ${serial}`);
}

async function tellsOf(device: HidDevice, { tells, channelsMax }: HidRelayBoard) {
	if (tells === undefined) return undefined;
	const { reportId, bytes, serialBytes, coilsAt } = tells;
	const report = await device.readFeature(reportId, bytes, reportTimeoutMs);
	const bits = report[coilsAt];
	if (bits === undefined) throw new StilewardError('device_protocol', `${device.path} does not tell its coils`);
	return {
		serial: Buffer.from(report.subarray(0, serialBytes)).toString('latin1').replace(/\0+$/, ''),
		coils: Array.from({ length: channelsMax }, (_, index) => ((bits >> index) & 1) === 1),
	};
}
