import { pino } from 'pino';
import { StilewardError } from '../../gate-agent/core/errors.ts';
import { enrollGate } from '../../gate-agent/enroll-gate.ts';
import { buildOf } from '../../gate-agent/main.ts';
import { readEnrollmentLink } from '../../sync/protocol/enrollment-link.ts';
import { jsonLine, type Terminal } from './output.ts';

/** The options of `gate enroll`. */
export interface EnrollOptions {
	readonly server?: string;
	readonly fingerprint?: string;
	readonly code?: string;
	readonly link?: string;
	readonly data: string;
	readonly replace?: true;
	readonly json?: true;
}

/** Enrolls a gate, and says what it may do now. */
export async function enroll(options: EnrollOptions, terminal: Terminal): Promise<void> {
	const { data, json, replace = false } = options;
	const { enrollment, events, config } = await enrollGate({
		...whereOf(options),
		...{ dir: data, replace, name: 'gate', version: buildOf().version },
		// What a technician must know is said below; the log of this one load is noise.
		log: pino({ level: 'silent' }),
	});
	const { device, venue, server, url } = enrollment;
	if (json) {
		await terminal.out.write(
			jsonLine({
				device,
				venue,
				server,
				url,
				loaded: events !== undefined,
				events: events ?? [],
				config: config ?? null,
			}),
		);
		return;
	}
	await terminal.out.write(`${data} is a gate of ${venue} now, device ${device}\n`);
	if (config !== undefined) await terminal.err.write(`it starts with version ${config} of its configuration\n`);
	const known = events?.length ? `it knows the rules of ${events.join(', ')}` : 'the venue has no event yet';
	await terminal.err.write(
		events === undefined
			? 'its keys and lists could not be loaded yet: it does that when it runs\n'
			: `${known}; start it with \`stileward gate run --config FILE --set data=${data}\`\n`,
	);
}

function whereOf({ server, fingerprint, code, link }: EnrollOptions) {
	if (link !== undefined) {
		const read = readEnrollmentLink(link);
		if (read === undefined) throw new StilewardError('usage', '--link is not the text of an enrollment code');
		return read;
	}
	if (server === undefined || fingerprint === undefined || code === undefined) {
		throw new StilewardError('usage', '--server, --fingerprint and --code belong together, or use --link');
	}
	return { url: server, fingerprint, code };
}
