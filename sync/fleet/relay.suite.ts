import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A cable between gates and a server that a test can cut, or keep answers in. It sees only ciphertext. */
export interface Relay {
	/** Where gates find the server through it. */
	readonly url: string;
	/** Breaks all connections and takes no new ones. */
	cut(): void;
	/** Keeps the answers to what is asked from now on; what the server sends unasked still comes through. */
	holdAnswers(): void;
	/** Ends either: what was kept arrives, late. */
	heal(): void;
	close(): Promise<void>;
}

interface Line {
	readonly gate: Socket;
	readonly server: Socket;
	/** Answers that are kept; undefined where they pass. */
	kept: Buffer[] | undefined;
	/** How often the gate spoke after the server had, the first time included. */
	turns: number;
	spoke: 'gate' | 'server' | undefined;
}

/** A connection greets in the first turn (RFC 8446); what it asks comes in the second. */
const greetingTurns = 1;

/** Lays a cable to the server at `url`. */
export async function openRelay(url: string): Promise<Relay> {
	const { hostname, port } = new URL(url);
	const lines = new Set<Line>();
	let state: 'whole' | 'cut' | 'holding' = 'whole';
	const plug = createServer((gate) => {
		if (state === 'cut') return void gate.destroy();
		const server = connect({ host: hostname, port: Number(port), noDelay: true });
		const line: Line = { gate: gate.setNoDelay(), server, kept: undefined, turns: 0, spoke: undefined };
		lines.add(line);
		gate.on('data', (bytes) => {
			if (line.spoke !== 'gate') line.turns += 1;
			line.spoke = 'gate';
			if (state === 'holding' && line.turns > greetingTurns) line.kept ??= [];
			server.write(bytes);
		});
		server.on('data', (bytes) => {
			line.spoke = 'server';
			if (line.kept) line.kept.push(bytes);
			else gate.write(bytes);
		});
		for (const end of [gate, server]) {
			end
				.on('error', () => undefined)
				.on('close', () => {
					lines.delete(line);
					gate.destroy();
					server.destroy();
				});
		}
	});
	plug.listen(0, '127.0.0.1');
	await once(plug, 'listening');
	const breakAll = () => {
		for (const { gate, server } of lines) {
			gate.destroy();
			server.destroy();
		}
	};
	return {
		// The server listens with a port.
		url: `https://127.0.0.1:${(plug.address() as AddressInfo).port}`,
		cut: () => {
			state = 'cut';
			breakAll();
		},
		holdAnswers: () => {
			state = 'holding';
		},
		heal: () => {
			state = 'whole';
			for (const line of lines) {
				for (const bytes of line.kept ?? []) line.gate.write(bytes);
				line.kept = undefined;
			}
		},
		close: async () => {
			state = 'cut';
			breakAll();
			plug.close();
			await once(plug, 'close');
		},
	};
}
