import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { type ConfigOffer, configOfferSchema, refusedConfigSchema } from '../../sync/protocol/gate-config.ts';
import { createKeyFolder, replaceKeyFile, secretMode } from '../keys/key-files.ts';

/** The file in a gate's data folder that says which pushed configuration it runs. */
export const configStateFile = 'pushed-config.json';

const stateSchema = Type.Object(
	{
		/** The device that it was pushed to: what another enrollment of this folder left behind has no part. */
		device: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
		/** What the venue calls the gate. */
		gate: Type.String({ minLength: 1, maxLength: 64 }),
		/** The version that has proven itself; without one the gate runs the configuration of its own file. */
		confirmed: Type.Optional(configOfferSchema),
		/** The version on trial. A start that finds one knows that the trial broke off. */
		trial: Type.Optional(configOfferSchema),
		/** What came with the enrollment: the next start tries it. */
		enrolled: Type.Optional(configOfferSchema),
		/** The newest version that was refused or did not prove itself. */
		refused: Type.Optional(
			Type.Object({ ...refusedConfigSchema.properties, sha256: configOfferSchema.properties.sha256 }),
		),
	},
	{ additionalProperties: false },
);

/** Which pushed configuration a gate runs, tries, and will not try again. */
export type ConfigState = Static<typeof stateSchema>;

/** Where a state is kept. */
export interface ConfigStateStore {
	/** `damaged`: there is a file, and it is none that this program wrote. */
	load(): Promise<ConfigState | 'damaged' | undefined>;
	/** Durable when it resolves, whole or not at all. Rejects with `output_failed`. */
	save(state: ConfigState): Promise<void>;
}

/** Keeps the state in a data folder. */
export function openConfigState(dir: string): ConfigStateStore {
	return {
		load: async () => {
			const text = await readFile(join(dir, configStateFile), 'utf8').catch(unlessMissing);
			return text === undefined ? undefined : parseState(text);
		},
		save: async (state) => {
			await createKeyFolder(dir);
			await replaceKeyFile(dir, { file: configStateFile, text: `${JSON.stringify(state)}\n`, mode: secretMode });
		},
	};
}

function unlessMissing(error: NodeJS.ErrnoException): string | undefined {
	// What cannot be read is treated like what is damaged: the gate's own file is always there.
	return error.code === 'ENOENT' ? undefined : '';
}

function parseState(text: string): ConfigState | 'damaged' {
	try {
		const state: unknown = JSON.parse(text);
		if (!Check(stateSchema, state)) return 'damaged';
		const { confirmed, trial, enrolled } = state;
		return [confirmed, trial, enrolled].every((each) => each === undefined || isWhole(each)) ? state : 'damaged';
	} catch {
		return 'damaged';
	}
}

/** Whether the text of an offer is the one that its hash names. */
export function isWhole({ text, sha256 }: ConfigOffer): boolean {
	return createHash('sha256').update(text).digest('base64url') === sha256;
}
