/** The part of a configuration for one device as settings of a command line: `key=value`, nested keys with dots. */
export function asSets(part: Readonly<Record<string, unknown>>, prefix = ''): readonly string[] {
	return Object.entries(part).flatMap(([key, value]) => {
		const path = prefix === '' ? key : `${prefix}.${key}`;
		const isInner = typeof value === 'object' && value !== null && !Array.isArray(value);
		// The value is read as YAML, of which JSON is a part.
		return isInner ? asSets(value as Readonly<Record<string, unknown>>, path) : [`${path}=${JSON.stringify(value)}`];
	});
}
