import type { Learned, Ledger } from '../../gate-agent/core/ledger.ts';

/** The same ledger; it only tells of what it has learned by the feed, once it is durable. */
export function watchedLedger(ledger: Ledger, onLearned: (changes: readonly Learned[]) => void): Ledger {
	const learn: Ledger['learn'] = async (changes, notes) => {
		await ledger.learn(changes, notes);
		onLearned(changes);
	};
	return new Proxy(ledger, {
		get: (target, name) => {
			if (name === 'learn') return learn;
			const member: unknown = Reflect.get(target, name, target);
			return typeof member === 'function' ? member.bind(target) : member;
		},
	});
}
