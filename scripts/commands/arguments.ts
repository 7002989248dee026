import { InvalidArgumentError } from 'commander';

/** Reads a whole number within bounds; refuses signs, exponents and blanks. */
export function integer(min: number, max: number): (text: string) => number {
	return (text) => {
		const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
		if (value >= min && value <= max) return value;
		throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
	};
}

/** Gathers the values of an option that may be given more than once. */
export function repeated(value: string, before: readonly string[] | undefined): readonly string[] {
	return [...(before ?? []), value];
}

/** Gathers `path.to.key=value` settings; what the value means is the configuration's concern. */
export function setting(text: string, before: readonly string[] | undefined): readonly string[] {
	if (!/^[^=\s]+=/.test(text)) throw new InvalidArgumentError('It must read path.to.key=value.');
	return repeated(text, before);
}

/** The examples below a command's help. */
export function examples(...lines: readonly string[]): string {
	return `\nExamples:\n${lines.map((line) => `  $ stileward ${line}\n`).join('')}`;
}
