/** What one folder of source may see. Paths are relative to the repository. */
export interface Room {
	/** Other rooms whose files it may import; its own are always allowed. */
	readonly sees: readonly string[];
	/** Packages it may import; absent means any, and with it Node's own modules. */
	readonly packages?: readonly string[];
}

const device = ['gate-agent/core', 'gate-agent/serial', 'gate-agent/hid', 'gate-agent/ioctl', 'gate-agent/nodes'];

const agentParts = [
	'gate-agent/core',
	'gate-agent/keys',
	'gate-agent/update',
	'gate-agent/serial',
	'gate-agent/nodes',
	'gate-agent/ioctl',
	'gate-agent/hid',
	'handheld/ble',
	'gate-agent/ledger',
	'gate-agent/scanners',
	'gate-agent/relays',
	'gate-agent/inputs',
	'gate-agent/feedback',
	'gate-agent/emulators',
	'gate-agent/display',
	'gate-agent/fleet',
	'gate-agent/service',
	'gate-agent/technician',
];

/**
 * Which room may see which: imports run one way, from the programs down to the core. The compiler holds the same
 * table through each folder's `references`; `tidy` proves that the two agree and holds it for what the compiler does
 * not see (tests, packages).
 */
export const rooms: Readonly<Record<string, Room>> = {
	'gate-agent/core': { sees: [], packages: ['jose', 'cborg', '@noble/hashes', 'typebox'] },
	'sync/protocol': { sees: ['gate-agent/core'], packages: ['jose', 'typebox'] },
	'sync/client': { sees: ['gate-agent/core', 'sync/protocol'], packages: [] },
	'sync/node': { sees: ['gate-agent/core', 'sync/protocol', 'sync/client'] },
	'sync/server': { sees: ['gate-agent/core', 'sync/protocol', 'sync/client', 'sync/node'] },
	'sync/acceptance': {
		sees: ['gate-agent', 'gate-agent/core', 'sync/protocol', 'sync/client', 'sync/node', 'sync/server'],
	},
	'sync/fleet': {
		sees: [
			...['gate-agent', 'gate-agent/core', 'gate-agent/emulators', 'gate-agent/ledger', 'gate-agent/update'],
			'sync/acceptance',
			...['sync/protocol', 'sync/node', 'sync/server'],
		],
	},
	'gate-agent/keys': { sees: ['gate-agent/core'] },
	'gate-agent/update': {
		sees: ['gate-agent/core', 'gate-agent/keys', 'sync/protocol', 'sync/client', 'sync/node'],
	},
	'gate-agent/serial': { sees: ['gate-agent/core'] },
	'gate-agent/nodes': { sees: ['gate-agent/core'] },
	'gate-agent/ioctl': { sees: ['gate-agent/core'] },
	'gate-agent/hid': { sees: ['gate-agent/core', 'gate-agent/ioctl', 'gate-agent/nodes'] },
	'gate-agent/ledger': { sees: ['gate-agent/core'] },
	'handheld/ble': { sees: ['gate-agent/core'] },
	'gate-agent/scanners': { sees: [...device, 'handheld/ble'] },
	'gate-agent/relays': { sees: device },
	'gate-agent/inputs': { sees: device },
	'gate-agent/feedback': { sees: ['gate-agent/core'] },
	'gate-agent/emulators': { sees: ['gate-agent/core'] },
	'gate-agent/service': {
		sees: ['gate-agent/core', 'gate-agent/ioctl', 'gate-agent/serial', 'gate-agent/relays'],
	},
	'gate-agent/display': { sees: ['gate-agent/core'] },
	'gate-agent/technician': { sees: ['gate-agent/core', 'gate-agent/keys', 'gate-agent/display'] },
	'gate-agent/technician/page': { sees: ['gate-agent/technician'], packages: [] },
	'gate-agent/fleet': { sees: ['gate-agent/core', 'gate-agent/keys', 'sync/protocol'] },
	'gate-agent/display/page': { sees: ['gate-agent/core'], packages: [] },
	'handheld/pwa/ledger': { sees: ['gate-agent/core'], packages: ['idb', '@noble/hashes'] },
	'gate-agent': { sees: [...agentParts, 'sync/protocol', 'sync/client', 'sync/node'] },
	'gate-agent/checks': { sees: ['gate-agent', ...agentParts, 'sync/protocol', 'sync/client', 'sync/node'] },
	'handheld/pwa/engine': {
		sees: ['gate-agent/core', 'sync/protocol', 'sync/client', 'handheld/pwa/ledger'],
		packages: ['idb', 'jose', 'typebox', '@noble/hashes', '@yoursunny/webcrypto-ed25519'],
	},
	'handheld/pwa/scan': { sees: ['gate-agent/core'], packages: ['barcode-detector'] },
	'handheld/pwa/page': {
		sees: ['gate-agent/core', 'handheld/pwa/engine', 'handheld/pwa/scan'],
		packages: ['preact', '@preact/signals'],
	},
	'handheld/acceptance': {
		sees: ['sync/acceptance', 'sync/fleet', 'handheld/pwa/scan'],
	},
	'handheld/pwa': {
		sees: ['handheld/pwa/engine', 'handheld/pwa/page', 'handheld/pwa/scan'],
		packages: ['typebox', 'zxing-wasm'],
	},
	scripts: {
		sees: [
			'gate-agent',
			'gate-agent/checks',
			...agentParts,
			'sync/protocol',
			'sync/client',
			'sync/node',
			'sync/server',
			'scripts/start/page',
		],
	},
	'scripts/start/page': { sees: ['gate-agent/core', 'gate-agent/display/page'], packages: [] },
};

/** Rooms whose files are drivers: one model, one file, and none knows another. */
export const driverRooms = ['gate-agent/scanners', 'gate-agent/relays', 'gate-agent/inputs', 'gate-agent/feedback'];

/** Folders that explain themselves in a README.md, beside the rooms. */
export const explainedFolders = ['.', 'sync', 'handheld', 'device-configs', 'device-configs/guides', 'scripts/wiring'];

/** The room that a file lies in: the longest one that contains it. */
export function roomOf(path: string): string | undefined {
	return Object.keys(rooms)
		.filter((room) => path.startsWith(`${room}/`))
		.sort((a, b) => b.length - a.length)[0];
}
