import type { BoxLife } from './box-life.ts';
import { commission } from './commission.ts';
import { type Proof, patienceMs, ready } from './proof.ts';
import { must } from './steps.ts';

/** The worst exposure that a unit may have (systemd-analyze(1), 0 to 10). */
const exposureMax = 2.5;

/** Everything that may happen to the services of a box that was commissioned. Gives tickets; `usedBefore` of them are used. */
export async function proveFirstLife(life: BoxLife, proof: Proof): Promise<readonly string[]> {
	const tickets = await commission(life, proof);
	await proveUnits(life, proof);
	await proveHandheld(life, proof);
	await proveWatchdog(life, proof);
	await proveRelayOff(life, proof, tickets);
	return tickets;
}

/** Tickets that the first life has admitted, by their place. */
export const usedBefore = [0, 1, 2, 3];

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

/** The example as it is, with the public keys of the server on the same box, and a port beside the gate's. */
const handheldScript = `set -e
install -d /etc/stileward/keys
install -m644 /var/lib/stileward/server/keys/{manifest.jws,root.public.jwk} /etc/stileward/keys
cp /usr/lib/stileward/device-configs/gates/bluetooth-handheld.yaml /etc/stileward/handheld.yaml
printf 'http: { port: 8091 }\\n' >>/etc/stileward/handheld.yaml
systemctl start stileward-handheld`;

/** Bluetooth scanners need an adapter, which this box has none of: its agent runs, says so, and waits for one. */
async function proveHandheld({ shell }: BoxLife, { steps }: Proof): Promise<void> {
	await steps.run('start the agent of Bluetooth handhelds in its sandbox', async () => {
		await shell.must(handheldScript);
		const status = await shell.must('systemctl show -P StatusText stileward-handheld');
		must(status === 'lane-1 waits for lane-1.scanner', `it says what it waits for: ${status}`);
		await shell.must('systemctl stop stileward-handheld && rm /etc/stileward/handheld.yaml');
		return status;
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
	await shell.until(ready, patienceMs);
}

async function proveRelayOff(life: BoxLife, { steps }: Proof, tickets: readonly string[]): Promise<void> {
	const { shell } = life;
	const inPulse = (ticket: number) => life.closesFor(tickets[ticket] ?? '', patienceMs);
	const closedFor = async (sinceMs: number) => {
		await life.open(patienceMs);
		return ((await life.edges()).at(-1)?.atMs ?? 0) - sinceMs;
	};
	await steps.run('kill the agent in the middle of a pulse', async () => {
		const before = await shell.must('systemctl show -P MainPID stileward-gate');
		const sinceMs = await inPulse(1);
		await shell.must(`kill -KILL ${before}`);
		const ms = await closedFor(sinceMs);
		await activeAgain(shell, before);
		return `the relay opened ${(ms / 1000).toFixed(1)} s after it had closed, and the agent is back`;
	});
	await steps.run('kill the agent and its coil watchdog together: the service switches the relay off', async () => {
		const before = await shell.must('systemctl show -P MainPID stileward-gate');
		const sinceMs = await inPulse(2);
		await shell.must('systemctl kill --signal=KILL --kill-who=all stileward-gate');
		const ms = await closedFor(sinceMs);
		const told = await shell.until("journalctl -u stileward-gate -o cat | grep 'lane-1.relay: off'", patienceMs);
		await activeAgain(shell, before);
		return `${told.split('\n').at(-1)}, ${(ms / 1000).toFixed(1)} s after it had closed`;
	});
	await steps.run('stop the service in the middle of a pulse', async () => {
		const sinceMs = await inPulse(3);
		await shell.must('systemctl stop stileward-gate');
		const ms = await closedFor(sinceMs);
		must((await shell.run('systemctl is-active stileward-gate')).code !== 0, 'the service stays stopped');
		await shell.must('systemctl start stileward-gate');
		return `the relay is open, ${(ms / 1000).toFixed(1)} s after it had closed`;
	});
}
