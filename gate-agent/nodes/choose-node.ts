import { StilewardError } from '../core/errors.ts';

/** A device node of the kernel and what tells its device from others. */
export interface DeviceNode {
	/** Changes with each plugging: `/dev/hidraw3`. */
	readonly path: string;
	/** Four hexadecimal digits each. */
	readonly vendorId: string;
	readonly productId: string;
	readonly name: string;
	/** Empty where the device has none. */
	readonly serial: string;
	/** Where it is plugged in: the USB port, `1-1.3`; else what the kernel calls its place. */
	readonly port: string;
}

/** How a configuration names a device that has no lasting path of its own. */
export interface NodeChoice {
	readonly device?: string;
	readonly serial?: string;
	readonly port?: string;
	/** A link of the operator's own, e.g. made by a udev rule. */
	readonly path?: string;
}

/**
 * The one node that is meant. Throws `device_absent` where there is none, and `config_invalid` where several fit, with
 * what tells them apart.
 */
export function chooseNode<Node extends DeviceNode>(nodes: readonly Node[], choice: NodeChoice, kind: string): Node {
	const fitting = nodes.filter((node) => fits(node, choice));
	const [only, ...others] = fitting;
	if (only === undefined) throw new StilewardError('device_absent', `there is no ${kind} ${wordsOf(choice)}`);
	if (others.length === 0) return only;
	const list = fitting.map(({ path, serial, port }) => `${path} (serial ${serial || 'none'}, port ${port})`).join(', ');
	throw new StilewardError(
		'config_invalid',
		`several devices are the ${kind} ${wordsOf(choice)}: ${list}; name its serial or port`,
	);
}

function fits(node: DeviceNode, { device, serial, port }: NodeChoice): boolean {
	return (
		(device === undefined || device === `${node.vendorId}:${node.productId}`) &&
		(serial === undefined || serial === node.serial) &&
		(port === undefined || port === node.port)
	);
}

function wordsOf({ device = 'of any kind', serial, port }: NodeChoice): string {
	return `${device}${serial === undefined ? '' : `, serial ${serial}`}${port === undefined ? '' : `, port ${port}`}`;
}
