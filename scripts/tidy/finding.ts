/** One broken rule at one place. */
export interface Finding {
	readonly path: string;
	/** From 1; 0 for the file as a whole. */
	readonly line: number;
	readonly rule: string;
	/** What is wrong and why it matters, in one line. */
	readonly message: string;
}

/** What kind of file a path is: some rules hold for the product only. */
export function isTest(path: string): boolean {
	return /\.(test|suite)\.tsx?$/.test(path);
}
