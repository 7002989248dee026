/**
 * What a scanner delivers: one code as text, or the news that something was read that is not a code
 * (oversized, torn). `atMs` is monotonic. The text is never logged.
 */
export type Scan =
	| { readonly kind: 'code'; readonly text: string; readonly aim?: string; readonly atMs: number }
	| { readonly kind: 'unreadable'; readonly bytes: number; readonly atMs: number };

/** The longest text that a scanner hands on, in bytes. A JWS ticket has at most 2,048. */
export const scanBytesMax = 4096;

/** What a code that is not a ticket looks like, so that the visitor hears which code to show instead. */
export type ForeignKind = 'payment_code' | 'url' | 'digits' | 'other';
