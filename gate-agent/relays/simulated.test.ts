import { createRelayContacts } from '../emulators/relay-board.ts';
import { describeRelay } from './relay.suite.ts';
import { simulatedRelay } from './simulated.ts';

const io = { nowMs: () => performance.now(), log: () => {} };

describeRelay(
	'simulated',
	async () => {
		const contacts = createRelayContacts(8, () => {}, io.nowMs);
		return {
			open: () => simulatedRelay.open({}, { ...io, onCoil: contacts.move }),
			edges: contacts.edges,
			isClosed: contacts.isClosed,
			async end() {},
		};
	},
	{ toleranceMs: 60, reads: true },
);
