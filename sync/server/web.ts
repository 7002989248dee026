import { type HandheldFiles, readHandheld } from './http/handheld-files.ts';
import { createOrigins, type Origins } from './http/origins.ts';

/** What a server is told for browsers. */
export interface WebOptions {
	/**
	 * Folder of the built handheld, or its files where they may come later; without one its address says that it is not
	 * built.
	 */
	readonly handheld?: string | HandheldFiles;
	/** Further addresses of the venue's servers, whose pages may call this one. */
	readonly origins?: readonly string[];
}

/** Reads the handheld and the origins. `known` are servers that this one knows of. Throws `server_data_invalid`. */
export async function openWeb(
	{ handheld, origins = [] }: WebOptions,
	known: readonly string[] = [],
): Promise<{ readonly handheld?: HandheldFiles; readonly origins: Origins }> {
	return {
		origins: createOrigins([...known, ...origins]),
		...(handheld !== undefined && { handheld: typeof handheld === 'string' ? await readHandheld(handheld) : handheld }),
	};
}
