/** Why a case came about, most likely: what a person asks about first. */
export type CaseCause =
	/** A lane admitted on its own word while the authority was out of reach. */
	| 'out_of_reach'
	/** Staff let somebody in by hand. */
	| 'staff_override'
	/** Every entry had the authority's word: a claim was given back though its visitor entered. */
	| 'claim_released'
	/** The device had not heard of the refund. */
	| 'not_told'
	| 'key_copied'
	| 'disk_restored';

/** The likely cause of a case: by its kind, and by the rungs of its redemptions in the authority's order. */
export function causeOf(found: {
	readonly kind: 'double_entry' | 'refunded_after_entry' | 'cloned_device' | 'restored_disk';
	readonly redemptions: readonly { readonly rung: string }[];
}): CaseCause {
	const { kind, redemptions } = found;
	if (kind === 'cloned_device') return 'key_copied';
	if (kind === 'restored_disk') return 'disk_restored';
	// The first entry was right; a person's decision after it explains the rest.
	const later = kind === 'double_entry' ? redemptions.slice(1) : redemptions;
	if (later.some(({ rung }) => rung === 'staff')) return 'staff_override';
	if (kind === 'refunded_after_entry') return 'not_told';
	const alone = redemptions.some(({ rung }) => rung === 'local' || rung === 'home');
	return alone ? 'out_of_reach' : 'claim_released';
}
