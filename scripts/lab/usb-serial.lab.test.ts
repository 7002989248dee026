import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openHost } from './ask-host.ts';

test('a serial adapter comes and goes under its name', async () => {
	const host = openHost();
	await host.ask({ do: 'plug', device: 'scanner' });
	const names = () => {
		try {
			return readdirSync('/dev/serial/by-id');
		} catch {
			return [];
		}
	};
	await expect.poll(names, { timeout: 30_000 }).toEqual([expect.stringContaining('LAB-SCANNER')]);
	await host.ask({ do: 'unplug', device: 'scanner' });
	await expect.poll(names, { timeout: 30_000 }).toEqual([]);
	host.close();
});
