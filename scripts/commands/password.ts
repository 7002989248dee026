import { StilewardError } from '../../gate-agent/core/errors.ts';
import type { Terminal } from './output.ts';

/** More than any password has. */
const charactersMax = 4_096;

/**
 * Reads a password or a PIN from standard input: all of it, without the line's end. Throws `usage` where there is none;
 * `option` is what asked for it.
 */
export async function readPassword({ in: input }: Terminal, option = '--password-stdin'): Promise<string> {
	let text = '';
	for await (const chunk of input.setEncoding('utf8')) {
		text += chunk;
		if (text.length > charactersMax) break;
	}
	const password = text.replace(/\r?\n$/, '');
	if (password === '' || /[\r\n]/.test(password)) {
		throw new StilewardError('usage', `${option} takes one line from standard input`);
	}
	return password;
}
