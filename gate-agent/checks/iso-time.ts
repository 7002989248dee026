/** An instant as people write it in a log, to the second. */
export function iso(ms: number): string {
	return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
