import { writeFileSync } from 'node:fs';
import { gatePublishedSchema } from '../gate-agent/config-schema.ts';

/** Writes the schema that editors use for gate configurations; a test compares the file with the code. */
writeFileSync(
	new URL('../device-configs/schema.json', import.meta.url),
	`${JSON.stringify(gatePublishedSchema, undefined, 2)}\n`,
);
