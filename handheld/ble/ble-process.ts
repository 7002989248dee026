/**
 * The process that holds one Bluetooth adapter and serves all scanners on it. It speaks to its parent over Node's channel and
 * ends with it. Argument: `hciN`, or `replay:FILE` for scripted peripherals.
 */
import type { BleAdapter, PeerLink } from './adapter.ts';
import { errorOf, type FromBleProcess, failureOf, type ToBleProcess } from './ble-messages.ts';
import { createCentral } from './central.ts';
import { atMost } from './in-time.ts';
import { openRadio } from './open-radio.ts';

/** How long links may take to end with the process. */
const leaveMs = 1_500;

function say(message: FromBleProcess): void {
	// A parent that is gone hears nothing, and this process ends for it.
	if (process.connected) process.send?.(message, () => {});
}

async function main(adapter: string): Promise<void> {
	const central = await openRadio(adapter).then(createCentral, (error: unknown) => {
		say({ kind: 'unopened', ...failureOf(error) });
	});
	if (central === undefined) return end(2);
	process.on('disconnect', () => void atMost(central.close(), leaveMs).then(() => process.exit(0)));
	void central.lost.then((error) => {
		say({ kind: 'lost', ...failureOf(error) });
		end(1);
	});
	const handle = serve(central);
	process.on('message', handle);
	say({ kind: 'ready' });
}

/** Ends once what was said has left; noble would keep the process alive. */
function end(code: number): void {
	process.once('disconnect', () => process.exit(code));
	process.disconnect();
}

function serve(central: BleAdapter): (message: ToBleProcess) => void {
	const links = new Map<number, PeerLink>();
	const closed = new Set<number>();
	let stopHearing: (() => void) | undefined;
	const open = async ({ peer, wish }: ToBleProcess & { kind: 'open' }) => {
		try {
			const onBytes: Parameters<BleAdapter['open']>[1]['onBytes'] = (bytes, from) =>
				say({ kind: 'bytes', peer, from, hex: Buffer.from(bytes).toString('hex') });
			const onBattery = (percent: number) => say({ kind: 'battery', peer, percent });
			const link = await central.open(wish, { onBytes, onBattery });
			links.set(peer, link);
			say({ kind: 'opened', peer, address: link.address, characteristics: link.characteristics });
			// The agent gave it up while it was opened.
			if (closed.delete(peer)) void link.close();
			say({ kind: 'gone', peer, ...failureOf(await link.lost) });
		} catch (error) {
			say({ kind: 'gone', peer, ...failureOf(error) });
		} finally {
			links.delete(peer);
			closed.delete(peer);
		}
	};
	const write = async ({ peer, call, at, hex }: ToBleProcess & { kind: 'write' }) => {
		try {
			const link = links.get(peer);
			if (!link) throw errorOf({ code: 'device_lost', text: 'the link is gone' });
			await link.write(at, Buffer.from(hex, 'hex'));
			say({ kind: 'written', call });
		} catch (error) {
			say({ kind: 'written', call, failure: failureOf(error) });
		}
	};
	return (message) => {
		switch (message.kind) {
			case 'open':
				return void open(message);
			case 'write':
				return void write(message);
			case 'close': {
				const link = links.get(message.peer);
				if (link) void link.close();
				else closed.add(message.peer);
				return;
			}
			case 'ping':
				return say({ kind: 'pong' });
			case 'hear':
				stopHearing?.();
				stopHearing = message.on ? central.hear((heard) => say({ kind: 'heard', heard })) : undefined;
		}
	};
}

await main(process.argv[2] ?? '');
