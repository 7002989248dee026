import { nordicUart } from './nordic-uart.ts';
import type { ScriptedPeer } from './scripted-radio.ts';

/** A scanner with the Nordic UART service, and a battery that is so full. */
export function uartScanner(address: string, name: string, batteryPercent = 80): ScriptedPeer {
	return {
		address,
		name,
		rssi: -55,
		characteristics: [
			{ ...nordicUart.write, properties: ['writeWithoutResponse', 'write'] },
			{ ...nordicUart.notify, properties: ['notify'] },
			{ service: '180f', characteristic: '2a19', properties: ['read'] },
		],
		values: [{ service: '180f', characteristic: '2a19', bytes: Uint8Array.of(batteryPercent) }],
	};
}

/** How a peripheral cuts a text: a notification has at most 20 bytes at the MTU that every link begins with. */
export function* notificationsOf(bytes: Uint8Array): Generator<Uint8Array> {
	for (let at = 0; at < bytes.length; at += 20) yield bytes.subarray(at, at + 20);
}
