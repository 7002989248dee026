import { setPin } from '../../gate-agent/technician/pin.ts';
import type { Terminal } from './output.ts';
import { readPassword } from './password.ts';

/** The options of `gate set-pin`. */
export interface SetPinOptions {
	readonly data: string;
}

/** Keeps a new PIN, hashed. A gate that runs asks for it from the next sign-in on. */
export async function setGatePin({ data }: SetPinOptions, terminal: Terminal): Promise<void> {
	await setPin(data, await readPassword(terminal, '--pin-stdin'));
	await terminal.err.write('the technician’s page is at /technician of the gate’s address\n');
}
