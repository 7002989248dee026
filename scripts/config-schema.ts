import { readFileSync, writeFileSync } from 'node:fs';
import { gatePublishedSchema } from '../gate-agent/config-schema.ts';
import { deviceModelSchema } from '../gate-agent/device-models.ts';
import { readmeWithTable } from './hardware-table.ts';
import { answersSchema } from './setup/answers.ts';
import { writeDrawings } from './wiring/guides.ts';

/** Writes what device-configs has from the code: schemas for editors, the table of models, the guides' drawings. Tests compare them with the code. */
const files = new URL('../device-configs/', import.meta.url);
for (const [name, schema] of [
	['schema.json', gatePublishedSchema],
	['model.schema.json', deviceModelSchema],
	['answers.schema.json', answersSchema],
] as const) {
	writeFileSync(new URL(name, files), `${JSON.stringify(schema, undefined, 2)}\n`);
}
const readme = new URL('README.md', files);
writeFileSync(readme, readmeWithTable(readFileSync(readme, 'utf8')));
writeDrawings();
