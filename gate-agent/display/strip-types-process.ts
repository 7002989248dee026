import { stripTypeScriptTypes } from 'node:module';

// Runs in a process of its own, started by `strip-types.ts`: it is sent a list of TypeScript sources and answers once.
process.once('message', (sources) => {
	// The one sender is `strip-types.ts`, which is typed.
	const stripped = (sources as readonly string[]).map((source) => stripTypeScriptTypes(source));
	process.send?.(stripped, () => process.disconnect());
});
