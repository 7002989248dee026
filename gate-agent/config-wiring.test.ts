import { describe, expect, it } from 'vitest';
import { checkConfig } from './config.ts';
import { parseConfig } from './config-source.ts';
import { boardName } from './config-wiring.ts';

/** Two lanes; what is given replaces their devices. */
function check(one: Readonly<Record<string, string>>, two: Readonly<Record<string, string>> = {}) {
	const lane = (id: string, devices: Readonly<Record<string, string>>) => {
		const all = { scanner: `{ driver: serial-line, path: /dev/${id} }`, relay: `{ driver: simulated }`, ...devices };
		return [`  - id: ${id}`, ...Object.entries(all).map(([slot, text]) => `    ${slot}: ${text}`)].join('\n');
	};
	const lanes = [lane('lane-1', one), lane('lane-2', { relay: '{ driver: simulated, channel: 2 }', ...two })];
	return checkConfig(parseConfig('gate.yaml', `event: opera\nkeys: k\ndata: d\nlanes:\n${lanes.join('\n')}\n`, []));
}

function problemsOf(...devices: Parameters<typeof check>): string {
	try {
		check(...devices);
	} catch (error) {
		expect(error).toMatchObject({ code: 'config_invalid' });
		return (error as Error).message;
	}
	return 'accepted';
}

const lcus = (more: string) => `{ driver: serial-lcus, path: /dev/relay, channels: 8, ${more} }`;
const lamp = (channel: number) => `{ driver: relay-channels, granted: [{ channel: ${channel} }] }`;
const modbus = (driver: string, more: string) => `{ driver: ${driver}, path: /dev/bus, ${more} }`;
const fire = 'contacts: { fire: { channel: 1 } }';

describe('the wiring of all lanes', () => {
	it.each([
		[
			'two lanes opened by one channel',
			[{}, { relay: '{ driver: simulated }' }],
			/lanes\.1\.relay\.channel .*opens lane-1/,
		],
		[
			'a lane whose exit opens another lane',
			[{ relay: lcus('channel: 1') }, { relay: lcus('channel: 3, exitChannel: 1') }],
			/lanes\.1\.relay\.exitChannel .*opens lane-1/,
		],
		[
			'a lamp on the channel that opens its own gate',
			[{ feedback: lamp(1) }],
			/lanes\.0\.feedback\.granted\.0\.channel.*lane-1/,
		],
		['a lamp on the channel of a neighbor', [{ feedback: lamp(2) }], /lanes\.0\.feedback\.granted\.0\.channel.*lane-2/],
		[
			'a lamp that two lanes switch',
			[{ feedback: lamp(5) }, { feedback: lamp(5) }],
			/lanes\.1\.feedback.*a lamp of lane-1/,
		],
		['a lamp that the board does not have', [{ feedback: lamp(9) }], /granted\.0\.channel .*not on a board of 8/],
		[
			'scanner and relay on one port',
			[{ scanner: '{ driver: serial-line, path: /dev/relay }', relay: lcus('channel: 1') }],
			/lanes\.0\.relay\.path .*the port of lanes\.0\.scanner/,
		],
		[
			'two scanners on one port',
			[{}, { scanner: '{ driver: serial-line, path: /dev/lane-1 }' }],
			/lanes\.1\.scanner\.path .*the port of lanes\.0\.scanner/,
		],
		[
			'one board with two speeds',
			[{ relay: lcus('channel: 1') }, { relay: lcus('channel: 2, baudRate: 115200') }],
			/lanes\.1\.relay\.path .*with other options/,
		],
		[
			'one bus with two speeds',
			[
				{
					relay: modbus('modbus-waveshare', 'baudRate: 9600'),
					inputs: modbus('modbus-discrete', `baudRate: 19200, ${fire}`),
				},
			],
			/lanes\.0\.inputs\.path .*same baudRate and parity/,
		],
	] as const)('refuses %s', (_what, [one, two], problem) => {
		expect(problemsOf(one, two)).toMatch(problem);
	});

	it.each([
		[
			'lanes that share a board, however its options are written',
			[{ relay: lcus('channel: 1') }, { relay: `{ channel: 2, channels: 8, path: /dev/relay, driver: serial-lcus }` }],
		],
		['one channel that opens both ways', [{ relay: '{ driver: simulated, channel: 1, exitChannel: 1 }' }]],
		[
			'a lamp that several signals switch',
			[{ feedback: '{ driver: relay-channels, granted: [{ channel: 5 }], cue: [{ channel: 5 }] }' }],
		],
		[
			'relay and inputs on one bus',
			[{ relay: modbus('modbus-waveshare', 'address: 1'), inputs: modbus('modbus-discrete', `address: 2, ${fire}`) }],
		],
		[
			'two readers of one file',
			[{ scanner: '{ driver: replay, path: codes.txt }' }, { scanner: '{ driver: replay, path: codes.txt }' }],
		],
	] as const)('accepts %s', (_what, [one, two]) => {
		expect(problemsOf(one, two)).toBe('accepted');
	});

	it('knows a board again, in whatever order its options are written', () => {
		const [one, two] = check(
			{ relay: lcus('channel: 1') },
			{ relay: '{ channel: 2, channels: 8, path: /dev/relay, driver: serial-lcus }' },
		).lanes;
		expect(one?.relay && boardName(one.relay)).toBe(two?.relay && boardName(two.relay));
	});
});
