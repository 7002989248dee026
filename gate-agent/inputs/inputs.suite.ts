import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InputRole, Inputs } from '../core/device.ts';
import { eventually } from '../emulators/eventually.suite.ts';

/** A change as it was delivered. */
export interface DeliveredChange {
	readonly atMs: number;
	readonly role: InputRole;
	readonly active: boolean;
}

/** A driver with a board at the far end. Roles wired: `passage`, `fire`, `tamper`. */
export interface InputsBench {
	open(onChange: (role: InputRole, active: boolean) => void): Promise<Inputs>;
	/** Works the contact at the board. */
	setContact(role: 'passage' | 'fire' | 'tamper', active: boolean): void;
	/** Absent where there is no port. */
	readonly plug?: { unplug(): Promise<void>; replug(): Promise<void> };
	end(): Promise<void>;
}

/** What every input driver must do, its contacts worked at the board. */
export function describeInputs(name: string, makeBench: () => Promise<InputsBench>, traits: { plug: boolean }): void {
	describe(`inputs ${name}`, () => {
		let bench: InputsBench;
		let opened: Inputs[];
		let changes: DeliveredChange[];
		const open = async () => {
			const inputs = await bench.open((role, active) => changes.push({ atMs: performance.now(), role, active }));
			opened.push(inputs);
			return inputs;
		};
		beforeEach(async () => {
			opened = [];
			changes = [];
			bench = await makeBench();
		});
		afterEach(async () => {
			await Promise.all(opened.map((inputs) => inputs.close()));
			await bench.end();
		});

		it('tells the states at the start without an event', async () => {
			bench.setContact('fire', true);
			const inputs = await open();
			expect(await inputs.read()).toEqual({ passage: false, fire: true, tamper: false });
			expect(changes).toEqual([]);
		});

		it('delivers each change once, in order', async () => {
			await open();
			for (const active of [true, false, true, false]) {
				const before = changes.length;
				bench.setContact('passage', active);
				await eventually(() => changes.length > before);
			}
			await delay(150);
			expect(changes.map(({ role, active }) => `${role} ${active}`)).toEqual([
				'passage true',
				'passage false',
				'passage true',
				'passage false',
			]);
		});

		it('delivers contacts that change at the same time', async () => {
			await open();
			bench.setContact('fire', true);
			bench.setContact('tamper', true);
			await eventually(() => changes.length === 2);
			expect(new Set(changes.map(({ role }) => role))).toEqual(new Set(['fire', 'tamper']));
		});

		it('reads what it delivered', async () => {
			const inputs = await open();
			bench.setContact('fire', true);
			await eventually(() => changes.length === 1);
			expect(await inputs.read()).toEqual({ passage: false, fire: true, tamper: false });
		});

		it('delivers nothing after it was closed', async () => {
			const inputs = await open();
			const closing = inputs.close();
			bench.setContact('passage', true);
			await closing;
			await inputs.close();
			await delay(100);
			expect(changes).toEqual([]);
			await expect(inputs.read()).rejects.toMatchObject({ code: 'device_lost' });
		});

		if (!traits.plug) return;
		it('is lost when the port is unplugged, and reads the truth after a re-plug', async () => {
			const inputs = await open();
			await bench.plug?.unplug();
			await expect(inputs.lost).resolves.toMatchObject({ code: 'device_lost' });
			await expect(inputs.read()).rejects.toMatchObject({ code: 'device_lost' });
			await inputs.close();
			await expect(open()).rejects.toMatchObject({ code: 'device_absent' });
			bench.setContact('fire', true);
			await bench.plug?.replug();
			const again = await open();
			expect(await again.read()).toMatchObject({ fire: true });
			expect(changes).toEqual([]);
		});
	});
}
