import { createBleAdapters } from '../../handheld/ble/adapters.ts';
import type { AgentIo, Simulation } from '../drivers.ts';
import { createBuses } from '../serial/buses.ts';

/** The turnstile behind simulated devices does nothing where no lane runs. */
const noTurnstile: Simulation = { contacts: { states: () => ({}), listen: () => () => {} }, onCoil: () => {} };

/** What drivers need where they are opened without an agent. `log` takes what they tell a technician. */
export function deviceIo(log: AgentIo['log'] = () => {}): AgentIo {
	return { nowMs: () => performance.now(), log, buses: createBuses(), adapters: createBleAdapters(), ...noTurnstile };
}
