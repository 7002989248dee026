import type { InputRole } from '../core/device.ts';
import { describeInputs } from './inputs.suite.ts';
import { simulatedInputs } from './simulated.ts';

describeInputs(
	'simulated',
	async () => {
		const states = { passage: false, fire: false, tamper: false };
		const listeners = new Set<(role: InputRole, active: boolean) => void>();
		const contacts = {
			states: () => ({ ...states }),
			listen(listener: (role: InputRole, active: boolean) => void) {
				listeners.add(listener);
				return () => listeners.delete(listener);
			},
		};
		return {
			open: (onChange) =>
				simulatedInputs.open({}, { nowMs: () => performance.now(), log: () => {}, onChange, contacts }),
			setContact(role, active) {
				states[role] = active;
				for (const listener of listeners) listener(role, active);
			},
			async end() {},
		};
	},
	{ plug: false },
);
