import { randomBytes, type X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { pathProblem } from '../../sync/node/pinned-chain.ts';
import { textOf } from '../nodes/sysfs.ts';
import type { Check } from './check.ts';
import { type Finding, found } from './finding.ts';
import { iso } from './iso-time.ts';
import { askStranger, type Handshake, shakeHands } from './server-handshake.ts';
import { talkFindings } from './server-talk.ts';
import type { Surroundings } from './surroundings.ts';

/** A certificate that ends within this time should have been renewed. */
const soonMs = 7 * 86_400_000;

/** A server that is to be the pinned one. */
export interface PinnedServer {
	readonly url: string;
	readonly fingerprint: string;
}

/** Each step to the venue's server: name, connection, certificate, signed time, and whether it knows this gate. */
export const serverCheck: Check = {
	name: 'server',
	run: async ({ enrolled, enrollmentHidden, agent }, around) => {
		if (enrolled === undefined)
			return [found('server_skipped', 'server', { why: enrollmentHidden ? 'enrollment_hidden' : 'not_enrolled' })];
		const { url } = enrolled.enrollment;
		const reach = await reachFindings(enrolled.enrollment, around);
		if (reach.some(({ state }) => state === 'fault')) return reach;
		const talk = await talkFindings(enrolled, around, agent.health?.venue?.authority);
		const all = [...reach, ...talk];
		return all.some(({ check }) => check === 'server')
			? all
			: [...all, found('server_ok', url, { venue: enrolled.enrollment.venue })];
	},
};

/** What stands between this machine and a server, without knowing more of it than its pin: nothing where it can be asked. */
export async function reachFindings(server: PinnedServer, around: Surroundings): Promise<readonly Finding[]> {
	const { url } = server;
	const { hostname, port } = new URL(url);
	const host = hostname.replace(/^\[|\]$/g, '');
	const unresolved = isIP(host) === 0 ? await nameFindings(url, host, around) : [];
	if (unresolved.length > 0) return unresolved;
	const handshake = await shakeHands(host, port === '' ? 443 : Number(port));
	if (handshake.kind === 'certificate') return certificateFindings({ ...server, host, ...handshake }, around);
	return [connectionFinding(url, handshake)];
}

async function nameFindings(url: string, host: string, { lookup, roots }: Surroundings): Promise<readonly Finding[]> {
	try {
		await lookup(host);
		return [];
	} catch (cause) {
		const { code = 'unknown' } = cause as NodeJS.ErrnoException;
		const servers = [...(await textOf(roots.etc, 'resolv.conf')).matchAll(/^nameserver\s+(\S+)/gm)].map(
			([, each]) => each,
		);
		return [found('dns_failed', url, { host, error: code, nameservers: servers.join(' ') || '–' })];
	}
}

function connectionFinding(url: string, { kind, code }: Exclude<Handshake, { kind: 'certificate' }>): Finding {
	return found(kind === 'no_tls' ? 'server_no_tls' : 'server_unreachable', url, { error: code });
}

interface Shown extends PinnedServer {
	readonly host: string;
	readonly certificate: X509Certificate;
}

async function certificateFindings(shown: Shown, { systemMs, build }: Surroundings): Promise<readonly Finding[]> {
	const { url, fingerprint, host, certificate } = shown;
	if (pathProblem(certificate, { fingerprint, nowMs: undefined })) return [await strangerFinding(url)];
	const isFor = isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host);
	if (isFor === undefined) {
		return [
			found('certificate_other_host', url, {
				names: (certificate.subjectAltName ?? certificate.subject).slice(0, 200),
			}),
		];
	}
	// A clock that is certainly wrong judges no dates; it is a finding of its own.
	const nowMs = systemMs() < build.buildMs ? undefined : systemMs();
	const evidence = { from: day(certificate.validFrom), until: day(certificate.validTo) };
	const problem = pathProblem(certificate, { fingerprint, nowMs });
	if (problem === 'expired') return [found('certificate_expired', url, evidence)];
	if (problem !== undefined) return [found('certificate_not_yet_valid', url, evidence)];
	const endsSoon = nowMs !== undefined && Date.parse(certificate.validTo) < nowMs + soonMs;
	return endsSoon ? [found('certificate_ends_soon', url, evidence)] : [];
}

/** Whoever shows another key: the login page of a network, or another server. */
async function strangerFinding(url: string): Promise<Finding> {
	const nonce = randomBytes(16).toString('base64url');
	const answer = await askStranger(url, `/v1/time?nonce=${nonce}`);
	const isPage = answer !== undefined && !/^application\/(problem\+)?json/.test(answer.contentType);
	if (isPage) return found('captive_portal', url, { status: answer.status, type: answer.contentType || '–' });
	return found('server_pin_wrong', url, { status: answer?.status ?? 0 });
}

function day(date: string): string {
	return iso(Date.parse(date));
}
