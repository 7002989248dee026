import { basename, dirname } from 'node:path';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { kidOf, onlyPublic } from '../../gate-agent/core/jwk.ts';
import { readEnrollment } from '../../gate-agent/enrollment.ts';
import { publicMode, replaceKeyFile } from '../../gate-agent/keys/key-files.ts';
import { jsonLine, type Terminal } from './output.ts';

/** The options of `update trust`. */
export interface UpdateTrustOptions {
	readonly data: string;
	readonly rootKey: string;
	readonly json?: true;
}

/** Keeps the root key that a gate was enrolled with in a place of root's. Throws `keys_missing` for a gate without a venue. */
export async function trustVenue({ data, rootKey: file, json }: UpdateTrustOptions, terminal: Terminal): Promise<void> {
	const enrolled = await readEnrollment(data);
	if (enrolled === undefined)
		throw new StilewardError('keys_missing', `${data} is not enrolled: a venue's root key is missing`);
	const key = onlyPublic(enrolled.enrollment.rootKey);
	await replaceKeyFile(dirname(file), { file: basename(file), text: `${JSON.stringify(key)}\n`, mode: publicMode });
	const kid = await kidOf(key);
	const { venue } = enrolled.enrollment;
	if (json) return terminal.out.write(jsonLine({ venue, kid, file }));
	await terminal.out.write(`packages that ${venue} signs with root key ${kid} are installed from now on\n`);
}
