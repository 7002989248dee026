import { readFile, stat } from 'node:fs/promises';
import { type ErrorCode, StilewardError } from '../core/errors.ts';

/**
 * What serialport's open says, by the words of the C library: its native part reports text only, no errno.
 * The first match counts.
 */
const openFailures: readonly (readonly [pattern: RegExp, code: ErrorCode, message: (path: string) => string])[] = [
	[/Inappropriate ioctl|Is a directory/, 'device_absent', (path) => `${path} is not a serial port`],
	[/No such (file|device)|Not a directory/, 'device_absent', (path) => `there is no serial port ${path}`],
	[/Permission denied|not permitted/, 'device_denied', (path) => `this user may not open ${path}`],
	[/Cannot lock|busy/, 'device_busy', (path) => `another program has ${path} open`],
	[/baud rate|Invalid .* setting/, 'config_invalid', (path) => `${path} does not take these line settings`],
];

/** Turns a failed open of a serial port into an operating error that says what to do; names the group that may open it. */
export async function openFailure(path: string, cause: unknown): Promise<StilewardError> {
	const text = cause instanceof Error ? cause.message : String(cause);
	const known = openFailures.find(([pattern]) => pattern.test(text));
	if (known === undefined) return new StilewardError('device_absent', `${path} cannot be opened: ${text}`, { cause });
	const [, code, message] = known;
	const owner = code === 'device_denied' ? await owningGroup(path) : undefined;
	return new StilewardError(code, owner === undefined ? message(path) : `${message(path)}; group ${owner} may`, {
		cause,
	});
}

/** Turns a failed import of a native module into `library_missing`, naming the system library where the loader does. */
export function importFailure(module: string, cause: unknown): StilewardError {
	const text = cause instanceof Error ? cause.message : String(cause);
	const library = /(lib[\w.+-]+\.so[\w.]*)/.exec(text)?.[1];
	const missing = library?.startsWith('libudev') ? `${library} (Debian package libudev1)` : library;
	return new StilewardError(
		'library_missing',
		missing === undefined ? `${module} cannot be loaded: ${text}` : `${module} needs the system library ${missing}`,
		{ cause },
	);
}

/** The name of the group that owns a device node, or its number where it has no name. */
async function owningGroup(path: string): Promise<string | undefined> {
	try {
		const { gid } = await stat(path);
		const groups = await readFile('/etc/group', 'utf8');
		const line = groups.split('\n').find((group) => group.split(':')[2] === String(gid));
		return line?.split(':')[0] ?? String(gid);
	} catch {
		return undefined;
	}
}
