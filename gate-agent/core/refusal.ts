import type { LaneMode } from './lane-state.ts';
import type { ForeignKind } from './scan.ts';

/**
 * Why a visitor is not admitted. A closed list of values: each says what the visitor and the steward should do,
 * so forged, unlucky and early are different things. Times are milliseconds since 1970.
 */
export type Refusal =
	| { readonly reason: 'unreadable' }
	| { readonly reason: 'not_a_ticket'; readonly code: ForeignKind }
	| { readonly reason: 'bad_signature' }
	| { readonly reason: 'unknown_key' }
	| { readonly reason: 'wrong_event'; readonly evt: string }
	| { readonly reason: 'wrong_zone'; readonly zones: readonly string[] }
	| { readonly reason: 'wrong_gate'; readonly home?: string }
	| { readonly reason: 'not_yet_valid'; readonly fromMs: number }
	| { readonly reason: 'expired'; readonly untilMs: number }
	| { readonly reason: 'revoked' }
	| { readonly reason: 'already_redeemed'; readonly lane?: string; readonly atMs?: number }
	| { readonly reason: 'in_progress'; readonly lane: string }
	| {
			readonly reason: 'no_uses_left';
			readonly use: number;
			readonly lane?: string;
			readonly atMs?: number;
			/** Uses that are still free, where more people want to enter. */
			readonly left?: number;
	  }
	| { readonly reason: 'offline_refused' }
	| { readonly reason: 'capacity' }
	| { readonly reason: 'lane_closed'; readonly mode: LaneMode | 'out_of_service' | 'emergency' }
	| {
			readonly reason: 'staff_needed';
			readonly why: 'not_confirmed' | 'holder_bound' | 'unknown_class' | 'unknown_session' | 'gate_replaced';
	  }
	| { readonly reason: 'clock_untrusted' }
	| { readonly reason: 'ledger_error' };

/** The name of a refusal, as it stands in journals, metrics and displays. */
export type RefusalReason = Refusal['reason'];
