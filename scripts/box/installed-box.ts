import type { BoxLife } from './box-life.ts';
import type { GateSite } from './gate-site.ts';
import { must, type Steps } from './steps.ts';

/** What the steps of one proof share. */
export interface Proof {
	readonly steps: Steps;
	readonly site: GateSite;
	/** Names of the packages on the stick, the older one first. */
	readonly packages: readonly [older: string, newer: string];
}

/** The worst exposure that the gate's unit may have (systemd-analyze(1), 0 to 10). */
const exposureMax = 2.5;

/** Waiting for an emulated processor on a busy machine. */
export const patienceMs = 8 * 60_000;

const stick = '/media/stick';

/** The first life: from a bare Debian to a gate that works, and everything that may happen to its agent. */
export async function proveFirstLife(life: BoxLife, proof: Proof): Promise<void> {
	await install(life, proof);
	await allowForSlowness(life, proof);
	await admitFirst(life, proof);
	await proveUnits(life, proof);
	await proveWatchdog(life, proof);
	await proveRelayOff(life, proof);
}

async function install({ shell }: BoxLife, { steps, packages: [older] }: Proof): Promise<void> {
	await steps.run('install the package without a network', async () => {
		must((await shell.run('ip route 2>/dev/null | grep -q default')).code !== 0, 'the box has no network');
		await shell.must(`apt-get install -y -qq -o Dpkg::Use-Pty=0 ${stick}/${older}`);
		await shell.must(
			'getent passwd stileward && systemctl is-enabled stileward-gate stileward-server stileward-handheld',
		);
		must((await shell.run('systemctl is-active stileward-gate')).code !== 0, 'nothing runs without a configuration');
		return `${await shell.must('stileward --version')}, enabled, and nothing runs before it is configured`;
	});
}

/** The time in which a box boots whose limits are those of its units, s. */
const usualBootSeconds = 30;

/** On a busy machine the box is slower than any that a gate has: the time limits of its unit grow with it. */
async function allowForSlowness({ shell, bootSeconds }: BoxLife, { steps }: Proof): Promise<void> {
	const factor = Math.ceil(bootSeconds / usualBootSeconds);
	if (factor <= 1) return;
	const limits = [`WatchdogSec=${20 * factor}s`, `TimeoutStartSec=${5 * factor}min`, `TimeoutStopSec=${30 * factor}s`];
	const folder = '/etc/systemd/system/stileward-gate.service.d';
	await steps.run(`give the unit ${factor} times the time: the box is slow today`, async () => {
		await shell.must(
			`mkdir -p ${folder} && printf '[Service]\n${limits.join('\n')}\n' >${folder}/slow.conf && systemctl daemon-reload`,
		);
		return limits.join(', ');
	});
}

/** The place of \`stileward setup --answers\`: it writes what is copied here. */
async function configure({ shell }: BoxLife): Promise<void> {
	await shell.must(`cp -r ${stick}/site/. /etc/stileward/ && systemctl start stileward-gate`);
}

async function admitFirst(life: BoxLife, { steps, site }: Proof): Promise<void> {
	await steps.run('configure it and start the service', async () => {
		await configure(life);
		return life.shell.must('systemctl show -P StatusText stileward-gate');
	});
	await steps.run('admit a ticket', async () => {
		await life.shell.until('journalctl -u stileward-gate -o cat | grep -q \'"event":"ready"\'', patienceMs);
		await life.present(site.tickets[0] ?? '');
		await life.closings(1, patienceMs);
		await life.open(patienceMs);
		return 'the relay closed and opened once';
	});
}

async function proveUnits({ shell }: BoxLife, { steps }: Proof): Promise<void> {
	await steps.run('rate the units and look at the devices', async () => {
		const rated: string[] = [];
		for (const unit of ['gate', 'server', 'handheld']) {
			const text = await shell.must(`systemd-analyze security --no-pager stileward-${unit} | tail -1`);
			const exposure = Number(/: (\d+\.\d+)/.exec(text)?.[1] ?? Number.NaN);
			must(exposure <= exposureMax, `the exposure of ${unit} is at most ${exposureMax}: ${text}`);
			rated.push(`${unit} ${exposure}`);
		}
		const properties = await shell.must('udevadm info -q property /dev/stileward/ftdi-LAB-SCANNER');
		must(/^ID_MM_PORT_IGNORE=1$/m.test(properties), 'ModemManager is kept off the scanner');
		const settings = await shell.must('stty -F /dev/stileward/ftdi-LAB-RELAY -a');
		must(settings.includes('-hupcl'), 'the port of the relay keeps DTR when the agent ends');
		return `exposure ${rated.join(', ')}; ModemManager is kept off`;
	});
	await steps.run('read errors by their priority', async () => {
		const errors = await shell.must('journalctl -u stileward-gate -p err -o cat; true');
		const all = await shell.must("journalctl -u stileward-gate -o cat | grep -c '^{'");
		must(!/"level":30/.test(errors), 'a line of information is none of the errors');
		must(Number(all) > errors.split('\n').filter(Boolean).length, 'the journal has more than errors');
		return `${errors.split('\n').filter(Boolean).length} errors among ${all} lines`;
	});
}

async function proveWatchdog({ shell }: BoxLife, { steps }: Proof): Promise<void> {
	await steps.run('stop the event loop: the watchdog starts the agent anew', async () => {
		const before = await shell.must('systemctl show -P MainPID stileward-gate');
		await shell.must(`kill -STOP ${before}`);
		await shell.until("journalctl -u stileward-gate -o cat | grep -qi 'watchdog timeout'", patienceMs);
		await activeAgain(shell, before);
		return `process ${before} was killed, and the next one is at work`;
	});
}

/** Waits until another process than \`before\` is ready. */
async function activeAgain(shell: BoxLife['shell'], before: string): Promise<void> {
	const isAnother = `[ "$(systemctl show -P MainPID stileward-gate)" != ${before} ]`;
	await shell.until(`systemctl -q is-active stileward-gate && ${isAnother}`, patienceMs);
	await shell.until('systemctl show -P StatusText stileward-gate | grep -q "1 lane(s) work"', patienceMs);
}

async function proveRelayOff(life: BoxLife, { steps, site }: Proof): Promise<void> {
	const { shell } = life;
	const inPulse = async (ticket: number, count: number) => {
		await life.present(site.tickets[ticket] ?? '');
		return (await life.closings(count, patienceMs)).at(-1)?.atMs ?? 0;
	};
	const closedFor = async (sinceMs: number) => {
		await life.open(patienceMs);
		return ((await life.edges()).at(-1)?.atMs ?? 0) - sinceMs;
	};
	await steps.run('kill the agent in the middle of a pulse', async () => {
		const before = await shell.must('systemctl show -P MainPID stileward-gate');
		const sinceMs = await inPulse(1, 2);
		await shell.must(`kill -KILL ${before}`);
		const ms = await closedFor(sinceMs);
		await activeAgain(shell, before);
		return `the relay opened ${(ms / 1000).toFixed(1)} s after it had closed, and the agent is back`;
	});
	await steps.run('kill the agent and its coil watchdog together: the service switches the relay off', async () => {
		const before = await shell.must('systemctl show -P MainPID stileward-gate');
		const sinceMs = await inPulse(2, 3);
		await shell.must('systemctl kill --signal=KILL --kill-who=all stileward-gate');
		const ms = await closedFor(sinceMs);
		const told = await shell.until("journalctl -u stileward-gate -o cat | grep 'lane-1.relay: off'", patienceMs);
		await activeAgain(shell, before);
		return `${told.split('\n').at(-1)}, ${(ms / 1000).toFixed(1)} s after it had closed`;
	});
	await steps.run('stop the service in the middle of a pulse', async () => {
		const sinceMs = await inPulse(3, 4);
		await shell.must('systemctl stop stileward-gate');
		const ms = await closedFor(sinceMs);
		must((await shell.run('systemctl is-active stileward-gate')).code !== 0, 'the service stays stopped');
		await shell.must('systemctl start stileward-gate');
		return `the relay is open, ${(ms / 1000).toFixed(1)} s after it had closed`;
	});
}
