import type { GattPlace } from './radio.ts';

/** Nordic UART Service: what a scanner sends, and what it is sent (Nordic, nRF5 SDK, "UART/Serial Port Emulation over BLE"). */
export const nordicUart = {
	notify: { service: '6e400001b5a3f393e0a9e50e24dcca9e', characteristic: '6e400003b5a3f393e0a9e50e24dcca9e' },
	write: { service: '6e400001b5a3f393e0a9e50e24dcca9e', characteristic: '6e400002b5a3f393e0a9e50e24dcca9e' },
} as const satisfies Readonly<Record<string, GattPlace>>;
