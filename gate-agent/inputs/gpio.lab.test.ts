import type { InputRole } from '../core/device.ts';
import { openCp2112Emulator } from '../emulators/cp2112-emulator.ts';
import { chipIsThere, labChip } from '../ioctl/gpio-chip.suite.ts';
import { gpioInputs } from './gpio.ts';
import { describeInputs } from './inputs.suite.ts';

const lineOf = { passage: 3, fire: 4, tamper: 5 } as const;

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
						chip: labChip,
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
