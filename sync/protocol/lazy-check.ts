import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

/** Says whether a value fits a schema. */
export type Check = (value: unknown) => boolean;

/**
 * A check that is compiled when it is first needed: a busy venue's feed has many pages a second, and a program that starts
 * should not wait for checks of calls that it never makes. Where a page's policy forbids compiling, it walks the schema.
 */
export function lazyCheck(schema: TSchema): Check {
	let compiled: ReturnType<typeof Compile> | undefined;
	return (value) => {
		compiled ??= Compile(schema);
		return compiled.Check(value);
	};
}
