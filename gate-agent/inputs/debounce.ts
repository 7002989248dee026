/** A contact as it is sampled: its settled state, and since when it has shown the other one. */
export interface Contact {
	readonly active: boolean;
	/** When the other state was first seen, without an interruption since; monotonic ms. */
	readonly otherSinceMs?: number;
}

/**
 * Takes one sample. The contact follows when the other state was seen for `debounceMs` without interruption; with 0
 * it follows at once. A bounce back starts the time anew.
 */
export function sampleContact(
	contact: Contact,
	sample: { readonly active: boolean; readonly atMs: number },
	debounceMs: number,
): Contact {
	if (sample.active === contact.active) return { active: contact.active };
	const since = contact.otherSinceMs ?? sample.atMs;
	if (sample.atMs - since >= debounceMs) return { active: sample.active };
	return { active: contact.active, otherSinceMs: since };
}

/** A sample is missing: what the contact did meanwhile is unknown, so the time starts anew. */
export function missSample(contact: Contact): Contact {
	return { active: contact.active };
}
