import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './venue.ts';

/** What `npm run stileward` gives to Node: with the bootstrap's compile cache and the options of package.json. */
export function programArguments(): readonly string[] {
	// The shape is checked below, where it matters.
	const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
		scripts?: { stileward?: string };
	};
	const [node, ...words] = scripts?.stileward?.split(' ') ?? [];
	if (node !== 'node') throw new Error('package.json: `stileward` no longer begins with `node`');
	return words;
}
