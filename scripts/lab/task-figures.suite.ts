declare module 'vitest' {
	interface TaskMeta {
		/** What a test of the lab measured, for its report. */
		figures?: Readonly<Record<string, string>>;
	}
}

export {};
