import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';

/**
 * Everything that a server refuses: its HTTP status, what happened, and what whoever reads it does next. Programs
 * branch on the code, never on a text or on the status alone.
 */
export const problems = {
	malformed: [
		400,
		'The request does not have the form of this call.',
		'Update the device or correct the named member.',
	],
	token_invalid: [401, 'The access token is missing, expired or not of this server.', 'Fetch a new token and repeat.'],
	nonce_unknown: [
		401,
		'The nonce of the assertion is not of this server, or too old.',
		'Fetch a nonce and sign again.',
	],
	assertion_invalid: [
		401,
		'The assertion is damaged or not signed by the key of its device.',
		'Sign it with the enrolled key.',
	],
	assertion_expired: [
		401,
		'The assertion is not valid at this time.',
		'Sign a new one, with the time that came with the nonce.',
	],
	assertion_replayed: [
		401,
		'The assertion was used before.',
		'Fetch a nonce and sign again. If this repeats, the key was copied: enroll the device anew.',
	],
	wrong_audience: [401, 'The assertion is made for another server.', 'Sign it for the server that gave the nonce.'],
	wrong_venue: [403, 'The device is not enrolled at this venue.', 'Enroll the device at this venue.'],
	device_unknown: [401, 'No such device is enrolled here.', 'Enroll the device with a new code.'],
	device_disabled: [403, 'The device is disabled.', 'Ask an administrator to enable it.'],
	code_invalid: [403, 'The enrollment code is unknown, used or expired.', 'Ask an administrator for a new code.'],
	key_enrolled: [409, 'This key is enrolled already.', 'Make a new key for each device; never copy one.'],
	name_taken: [
		409,
		'A device of this name works at the venue.',
		'Choose another name, or make the code for a device that takes its place.',
	],
	staff_exists: [409, 'Somebody of the staff has this name.', 'Choose another name, or give that person a new PIN.'],
	device_alive: [
		409,
		'The device was here moments ago and answers for its claims itself.',
		'Wait for it, disable it, or release by force where it is known to be dead.',
	],
	forbidden: [403, 'Whoever asks may not do this.', 'Ask an administrator.'],
	not_found: [404, 'There is nothing at this address.', 'Correct the address, or update the program.'],
	method_not_allowed: [405, 'This address does not take this method.', 'Update the program.'],
	wrong_server: [421, 'This server does not do this.', 'Ask the server that is named.'],
	order_differs: [409, 'This order number stands for other tickets.', 'Use a new order number.'],
	stale_authority: [
		409,
		'The server was shown newer facts than its own and grants no more.',
		'An operator begins a new epoch.',
	],
	cursor_gone: [410, 'The feed does not go back to this cursor.', 'Load the snapshot.'],
	too_large: [413, 'The request is too large.', 'Send fewer rows or claims at once.'],
	segment_invalid: [
		422,
		'The segment is damaged or not signed by the key of its device.',
		'Check the disk of the device; it may need a new epoch.',
	],
	rate_limited: [429, 'Too many requests.', 'Wait as long as the answer says.'],
	staff_refused: [
		403,
		'The name or the PIN is wrong, or the session is over.',
		'Sign in again. If this repeats, ask an administrator for a new PIN.',
	],
	internal: [500, 'The server failed. Its log says why.', 'Repeat later.'],
	no_authority: [
		503,
		'The authority of the venue cannot be reached from this server.',
		'Decide by the policy for this case.',
	],
	no_staff_here: [
		503,
		'This server cannot answer for staff now.',
		'Go on with what the device knows, and repeat later.',
	],
	overloaded: [503, 'The server is busy or about to stop.', 'Repeat after the time that the answer names.'],
} as const satisfies Record<string, readonly [status: number, title: string, hint: string]>;

/** A stable name for one kind of refusal of a server. */
export type ProblemCode = keyof typeof problems;

/** The media type of every refusal (RFC 9457). */
export const problemContentType = 'application/problem+json';

/**
 * A refusal as it travels (RFC 9457). `type` is `urn:stileward:problem:CODE`; a code that a device does not know is
 * read as `internal`, so that a newer server never confuses it.
 */
export const problemSchema = Type.Object({
	type: Type.String(),
	title: Type.String(),
	status: Type.Integer({ minimum: 400, maximum: 599 }),
	code: Type.String({ pattern: '^[a-z_]{1,64}$' }),
	hint: Type.String({ description: 'What to do, in one sentence.' }),
	detail: Type.Optional(Type.String({ description: 'Which member or which limit; never a token, a key or a name.' })),
	retryAfterMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 3_600_000 })),
});
/** @see problemSchema */
export type Problem = Static<typeof problemSchema>;

/** Makes the refusal of a code. */
export function problemOf(
	code: ProblemCode,
	more: { readonly detail?: string; readonly retryAfterMs?: number } = {},
): Problem {
	const [status, title, hint] = problems[code];
	return { type: `urn:stileward:problem:${code}`, title, status, code, hint, ...more };
}

/** Reads a refusal, or gives undefined for anything else, such as the error page of a proxy. */
export function readProblem(
	value: unknown,
): { readonly code: ProblemCode; readonly detail?: string; readonly retryAfterMs?: number } | undefined {
	if (!Check(problemSchema, value)) return undefined;
	const { code, detail, retryAfterMs } = value;
	return {
		code: isProblemCode(code) ? code : 'internal',
		...(detail !== undefined && { detail }),
		...(retryAfterMs !== undefined && { retryAfterMs }),
	};
}

function isProblemCode(code: string): code is ProblemCode {
	return Object.hasOwn(problems, code);
}
