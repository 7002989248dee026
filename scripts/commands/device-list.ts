import { deviceKind, handheldVersionMark } from '../../sync/protocol/report.ts';
import type { Device } from '../../sync/server/store.ts';
import { configCell } from './config-show.ts';
import { readDevices, shortIdCharacters } from './device-names.ts';
import { withOffice } from './office-client.ts';
import type { SessionOptions } from './office-options.ts';
import { jsonLine, type Terminal, table } from './output.ts';

const header = [
	...[
		'NAME',
		'STATUS',
		'LAST SEEN',
		'KIND',
		'VERSION',
		'ROWS',
		'QUEUE',
		'LIST AGE',
		'CLOCK',
		'LANES',
		'CONFIG',
		'DEVICE',
	],
];

/** Lists devices and how they stand. */
export async function listDevices({ profile, json }: SessionOptions, terminal: Terminal): Promise<void> {
	await withOffice(profile, terminal, async (office) => {
		const devices = await readDevices(office);
		const rows = devices.map((device) => deviceCells(device, terminal.nowMs()));
		await terminal.out.write(json ? devices.map(jsonLine).join('') : table([header, ...rows]));
	});
}

/** A device as people read it; what it never said is a dash. */
export function deviceCells(device: Device, nowMs: number): readonly string[] {
	const { name, status, lastSeenMs, acceptedThrough, report } = device;
	const sinceReport = report === undefined ? 0 : Math.max(0, nowMs - report.atMs);
	return [
		name,
		status,
		lastSeenMs === undefined ? 'never' : ago(nowMs - lastSeenMs),
		report === undefined ? '-' : deviceKind(report.version),
		versionCell(report),
		String(acceptedThrough),
		report === undefined ? '-' : String(report.waiting),
		// It has grown older since it was told.
		report?.listAgeMs === undefined ? '-' : duration(report.listAgeMs + sinceReport),
		clockCell(report),
		report?.lanes.map(laneCell).join(', ') || '-',
		configCell(report?.config),
		device.device.slice(0, shortIdCharacters),
	];
}

/** `0.1.0 → 0.2.0 waiting`, and behind an exclamation mark why an update does not come. */
function versionCell(report: Device['report']): string {
	if (report === undefined) return '-';
	const runs = report.version.replace(handheldVersionMark, '');
	const { update } = report;
	if (update === undefined || update.state === 'installed') return runs;
	const why = update.state === 'refused' ? ` ! ${update.why}` : '';
	return `${runs} → ${update.version} ${update.state}${why}`;
}

function clockCell(report: Device['report']): string {
	if (report === undefined) return '-';
	const { clockTrusted, clockOffsetMs } = report;
	const offset = clockOffsetMs === undefined ? '' : `${clockOffsetMs < 0 ? '' : '+'}${Math.round(clockOffsetMs)} ms`;
	if (clockTrusted) return offset === '' ? 'trusted' : offset;
	return offset === '' ? 'untrusted' : `untrusted ${offset}`;
}

type LaneReport = NonNullable<Device['report']>['lanes'][number];

/** `lane-1 entry idle`, and behind an exclamation mark what somebody must look at. */
function laneCell({ lane, mode, phase, emergency, missing, alarms }: LaneReport): string {
	const wrong = [...(emergency ? ['emergency'] : []), ...missing.map((part) => `no ${part}`), ...alarms];
	return `${lane} ${mode} ${phase}${wrong.length > 0 ? ` ! ${wrong.join(' ')}` : ''}`;
}

function ago(ms: number): string {
	return ms < 5_000 ? 'now' : `${duration(ms)} ago`;
}

/** `42 s`, `7 min`, `3 h`, `2 d`: as much as one looks for. */
function duration(ms: number): string {
	const seconds = Math.max(0, Math.round(ms / 1000));
	if (seconds < 120) return `${seconds} s`;
	if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
	return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}
