import { pointGate } from '../../gate-agent/point-gate.ts';
import { jsonLine, type Terminal } from './output.ts';

/** The options of `gate point`. */
export interface PointOptions {
	readonly server: string;
	readonly data: string;
	readonly json?: true;
}

/** Points a gate to another server of its venue. */
export async function point({ server: url, data, json }: PointOptions, terminal: Terminal): Promise<void> {
	const { server, venue } = await pointGate({ dir: data, url: url.replace(/\/$/, '') });
	if (json) return terminal.out.write(jsonLine({ data, server, venue, url }));
	await terminal.out.write(`${data} asks ${server} of ${venue} from its next start on\n`);
}
