import { basename, dirname } from 'node:path';
import { surroundingsOf } from '../../gate-agent/checks/surroundings.ts';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { kidOf, onlyPublic } from '../../gate-agent/core/jwk.ts';
import { readEnrollment } from '../../gate-agent/enrollment.ts';
import { publicMode, replaceKeyFile } from '../../gate-agent/keys/key-files.ts';
import { jsonLine, type Terminal } from './output.ts';
import { updatePlaces } from './update.ts';

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
	const watched = await watchForRequests(file);
	if (json) return terminal.out.write(jsonLine({ venue, kid, file, watched }));
	await terminal.out.write(`packages that ${venue} signs with root key ${kid} are installed from now on\n`);
	if (!watched) await terminal.err.write(`nothing waits for them yet here: sudo systemctl start ${pathUnit}\n`);
}

/** What waits for the gate's requests; where systemd begins before this key is there, it leaves the unit out. */
const pathUnit = 'stileward-update.path';

/** Starts the unit that waits for requests, where the key lies where the unit looks for it. Gives whether it waits. */
async function watchForRequests(file: string): Promise<boolean> {
	if (file !== updatePlaces.rootKey) return false;
	const started = await surroundingsOf().run('systemctl', ['start', pathUnit]);
	return started?.code === 0;
}
