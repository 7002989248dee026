import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorldResult } from './run-world.ts';
import { runWorlds } from './worlds.ts';

/** One change of one file. */
export interface Patch {
	readonly file: string;
	/** Text that stands in the file once. */
	readonly anchor: string;
	readonly instead: string;
}

/** Worlds to run on sources. */
export interface Trial {
	readonly patches: readonly Patch[];
	readonly firstSeed: number;
	readonly count: number;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a world needs of the sources. */
const sources = ['gate-agent', 'sync', 'scripts/simulate', 'package.json'];

/** Runs worlds on a temporary copy of the sources with these patches. Fails where the text that one changes is not there. */
export async function runPatched({ patches, firstSeed, count }: Trial): Promise<readonly WorldResult[]> {
	const dir = mkdtempSync(join(tmpdir(), 'stileward-switched-off-'));
	try {
		for (const source of sources) cpSync(join(root, source), join(dir, source), { recursive: true });
		symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
		for (const patch of patches) apply(dir, patch);
		const results: WorldResult[] = [];
		const program = join(dir, 'scripts/simulate/world-process.ts');
		const onWorld = (result: WorldResult) => results.push(result);
		await runWorlds({ firstSeed, count, workers: 2, wantsStories: false, program, onWorld });
		return results;
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
}

function apply(dir: string, { file, anchor, instead }: Patch): void {
	const path = join(dir, file);
	const text = readFileSync(path, 'utf8');
	if (text.split(anchor).length !== 2) throw new Error(`${file} does not hold this once: ${anchor}`);
	writeFileSync(
		path,
		text.replace(anchor, () => instead),
	);
}

/** The invariants that worlds broke, each once. */
export function brokenBy(results: readonly WorldResult[]): readonly string[] {
	return [...new Set(results.flatMap(({ violations }) => violations.map(({ invariant }) => invariant)))].sort();
}
