import { createReadStream } from 'node:fs';
import type { DeviceParts } from '../server-parts.ts';
import type { Answers } from './device-routes.ts';
import { Refusal } from './refusal.ts';

/** The answers to gates that are to run another version. */
export function releaseAnswers({ releases }: Pick<DeviceParts, 'releases'>): Pick<Answers, 'release' | 'package'> {
	return {
		release: async ({ input: { version, arch } }) => {
			const known = await releases?.find(version, arch);
			if (known === undefined) throw new Refusal('not_found', { detail: `this server has no ${version} for ${arch}` });
			return { release: known.jws };
		},
		package: async ({ input: { sha256 }, request, reply }) => {
			const file = await releases?.file(sha256);
			if (file === undefined) throw new Refusal('not_found', { detail: 'this server has no such package' });
			const { path, bytes } = file;
			const start = startOf(request.headers.range, bytes);
			reply
				.header('content-type', 'application/vnd.debian.binary-package')
				.header('cache-control', 'private, no-store');
			reply.header('accept-ranges', 'bytes').header('content-length', bytes - start);
			if (start > 0) reply.code(206).header('content-range', `bytes ${start}-${bytes - 1}/${bytes}`);
			return reply.send(createReadStream(path, { start }));
		},
	};
}

/** RFC 9110 §14.2: a range of another form may be ignored. */
function startOf(range: string | undefined, bytes: number): number {
	const start = Number(/^bytes=(\d{1,12})-$/.exec(range ?? '')?.[1] ?? 0);
	return start < bytes ? start : 0;
}
