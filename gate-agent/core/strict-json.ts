/** Objects and arrays inside each other, at most. */
const depthMax = 8;

/** One string, number, literal or punctuation mark of a JSON text (RFC 8259). */
const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s"{}[\]:,]+/g;

/** How an integer is written; `1.0`, `1e3` and `-0` are other writings of a number that has a plain one. */
const integer = /^(?:0|-?[1-9]\d*)$/;

/**
 * Reads a JSON object, or gives undefined. It is stricter than `JSON.parse` where two readers could disagree:
 * no duplicate member names (RFC 8259 leaves their meaning open), no number that is not written as a safe integer,
 * no lone surrogates, at most 8 levels. Whitespace, order of members and escapes are free.
 */
export function parseStrictJson(text: string): Readonly<Record<string, unknown>> | undefined {
	if (!isStrict(text)) return undefined;
	try {
		const value: unknown = JSON.parse(text);
		const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
		// JSON.parse makes string keys only, and the check above leaves nothing but a plain object.
		return isObject ? (value as Record<string, unknown>) : undefined;
	} catch {
		return undefined;
	}
}

/** Checks what `JSON.parse` does not; a text that is no JSON may pass and is left to the parser. */
function isStrict(text: string): boolean {
	// One set of names per open object, undefined for an open array.
	const open: (Set<string> | undefined)[] = [];
	let last = '';
	for (const [token] of text.matchAll(tokens)) {
		if (token === '{' || token === '[') {
			if (open.push(token === '{' ? new Set() : undefined) > depthMax) return false;
		} else if (token === '}' || token === ']') open.pop();
		else if (token === ':') {
			if (!isNewName(open.at(-1), last)) return false;
		} else if (!isStrictScalar(token)) return false;
		last = token;
	}
	return true;
}

function isNewName(names: Set<string> | undefined, token: string): boolean {
	const name = stringOf(token);
	if (names === undefined || name === undefined || names.has(name)) return false;
	names.add(name);
	return true;
}

function isStrictScalar(token: string): boolean {
	if (token.startsWith('"')) return stringOf(token)?.isWellFormed() ?? false;
	if (!/^[-\d]/.test(token)) return true;
	return integer.test(token) && Number.isSafeInteger(Number(token));
}

/** The string that a string token stands for: a name written with an escape is the same name. */
function stringOf(token: string): string | undefined {
	if (!token.includes('\\')) return token.startsWith('"') ? token.slice(1, -1) : undefined;
	try {
		const value: unknown = JSON.parse(token);
		return typeof value === 'string' ? value : undefined;
	} catch {
		return undefined;
	}
}
