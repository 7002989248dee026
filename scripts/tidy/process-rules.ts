import type { Finding } from './finding.ts';
import { type Import, importsOf } from './import-rules.ts';
import type { Source } from './parse.ts';

/** Programs that run beside an agent and must be there within moments, also on a small board with a slow card. */
const sideProgram = /^(gate-agent|handheld)\/.*(-process|-worker|coil-watchdog|relays-off)\.ts$/;

/** A package of hundreds of files: loading it takes a small board longer than everything else that such a program does. */
const heavyPackages = ['typebox', 'fastify', 'kysely'];

/** Programs beside an agent that load a heavy package, directly or through a file that has it for another's sake. */
export function processFindings(sources: readonly Source[]): readonly Finding[] {
	const byPath = new Map(sources.map((source) => [source.path, source]));
	return sources
		.filter(({ path }) => sideProgram.test(path))
		.flatMap(({ path }) =>
			[...reached(path, byPath)]
				.flatMap((through) => heavyIn(byPath.get(through)).map((name) => ({ through, name })))
				.map(({ through, name }) => ({
					...{ path, line: 0, rule: 'heavy-process' },
					message: `loads ${name} through ${through}: what it needs of that file belongs in one without ${name}`,
				})),
		);
}

/** The files that a program loads, itself included. */
function reached(entry: string, byPath: ReadonlyMap<string, Source>): ReadonlySet<string> {
	const seen = new Set([entry]);
	for (const path of seen) {
		const source = byPath.get(path);
		for (const { target, isFile } of source ? loads(source) : []) if (isFile) seen.add(target);
	}
	return seen;
}

function heavyIn(source: Source | undefined): readonly string[] {
	const found = source ? loads(source).filter(({ isFile }) => !isFile) : [];
	return found.map(({ target }) => target).filter((target) => heavyPackages.includes(target.split('/')[0] ?? ''));
}

/** Imports that are there when it runs. */
function loads(source: Source): readonly Import[] {
	return importsOf(source).filter(({ isTypeOnly }) => !isTypeOnly);
}
