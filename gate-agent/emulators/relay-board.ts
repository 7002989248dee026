/** A coil that closed or opened, as a wire at its terminal shows it. */
export interface CoilEdge {
	readonly atMs: number;
	readonly channel: number;
	readonly closed: boolean;
}

/** Edges that a board remembers; the oldest go first. */
export const edgesMax = 10_000;

/** The contacts of a relay board: what an emulated board really did, whatever was said on its line. */
export interface RelayContacts {
	readonly edges: readonly CoilEdge[];
	isClosed(channel: number): boolean;
	/** Moves one armature; nothing happens when it is there already. */
	move(channel: number, closed: boolean): void;
	/** The supply is gone: every armature falls. */
	fallOpen(): void;
}

/** Makes the contacts of a board, all open. `onCoil` hears every edge, like the turnstile that is wired to it. */
export function createRelayContacts(
	channels: number,
	onCoil: (channel: number, closed: boolean) => void,
	nowMs: () => number,
): RelayContacts {
	const closedNow = new Set<number>();
	const edges: CoilEdge[] = [];
	const move = (channel: number, closed: boolean) => {
		if (channel < 1 || channel > channels || closedNow.has(channel) === closed) return;
		if (closed) closedNow.add(channel);
		else closedNow.delete(channel);
		edges.push({ atMs: nowMs(), channel, closed });
		if (edges.length > edgesMax) edges.shift();
		onCoil(channel, closed);
	};
	return {
		edges,
		isClosed: (channel) => closedNow.has(channel),
		move,
		fallOpen() {
			for (const channel of [...closedNow]) move(channel, false);
		},
	};
}
