import { setTimeout as sleep } from 'node:timers/promises';
import type { InputRole } from '../core/device.ts';
import { openCp2112Emulator } from '../emulators/cp2112-emulator.ts';
import { listGpioChips } from '../ioctl/gpio.ts';
import { gpioInputs } from './gpio.ts';
import { describeInputs } from './inputs.suite.ts';

const chip = 'cp2112_gpio';
const lineOf = { passage: 3, fire: 4, tamper: 5 } as const;

async function chipIsThere(isThere = true): Promise<void> {
	for (let tries = 1; (await listGpioChips()).some(({ label }) => label === chip) !== isThere; tries += 1) {
		if (tries === 200) throw new Error(`the chip is ${isThere ? 'not ' : ''}there`);
		await sleep(50);
	}
}

describeInputs(
	'gpio',
	async () => {
		const board = openCp2112Emulator();
		await chipIsThere();
		// The tamper switch conducts while the case is shut.
		board.setInput(lineOf.tamper, true);
		return {
			open: (onChange: (role: InputRole, active: boolean) => void) =>
				gpioInputs.open(
					{
						chip,
						contacts: {
							passage: { line: lineOf.passage },
							fire: { line: lineOf.fire },
							tamper: { line: lineOf.tamper, invert: true },
						},
					},
					{ nowMs: () => performance.now(), log: () => {}, onChange },
				),
			setContact: (role, active) => board.setInput(lineOf[role], role === 'tamper' ? !active : active),
			plug: {
				unplug: async () => {
					await board.unplug();
					await chipIsThere(false);
				},
				replug: async () => {
					await board.replug();
					await chipIsThere();
				},
			},
			end: async () => {
				board.close();
				await chipIsThere(false);
			},
		};
	},
	{ plug: true },
);
