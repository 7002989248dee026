import { admit, type BoxLife } from './box-life.ts';
import { asOffice, type Proof, patienceMs, stick } from './proof.ts';
import { must } from './steps.ts';

/** How long the gate's pulse is: long enough to stop or kill the agent in the middle of one, on a slow machine, too. */
const pulseMs = 10_000;

const ticketCount = 16;

/** Two adapters of one kind are plugged in, and no program can know which is which: they are named. */
const devices = `scanner: { driver: serial-line, path: /dev/stileward/ftdi-LAB-SCANNER, baudRate: 9600, suffix: cr }
relay: { driver: serial-lcus, path: /dev/stileward/ftdi-LAB-RELAY, channels: 2, channel: 1, pulseMs: ${pulseMs} }`;

/** From a bare Debian to a gate that admits, as a technician does it. Gives tickets; the first of them is used. */
export async function commission(life: BoxLife, proof: Proof): Promise<readonly string[]> {
	await install(life, proof);
	await allowForSlowness(life, proof);
	const { tickets, link } = await openVenue(life, proof);
	await setUp(life, proof, link);
	await proof.steps.run(
		'admit a ticket',
		async () => {
			await admit(life, tickets[0], patienceMs);
			return 'the relay closed and opened once';
		},
		'a visitor shows a ticket',
	);
	return tickets;
}

async function install({ shell }: BoxLife, { steps, packages: [older] }: Proof): Promise<void> {
	await steps.run(
		'install the package without a network',
		async () => {
			must((await shell.run('ip route 2>/dev/null | grep -q default')).code !== 0, 'the box has no network');
			await shell.must(`apt-get install -y -qq -o Dpkg::Use-Pty=0 ${stick}/${older}`);
			await shell.must(
				'getent passwd stileward && systemctl is-enabled stileward-gate stileward-server stileward-handheld',
			);
			must((await shell.run('systemctl is-active stileward-gate')).code !== 0, 'nothing runs without a configuration');
			return `${await shell.must('stileward --version')}, enabled, and nothing runs before it is configured`;
		},
		`apt install ./${older}`,
	);
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

/** The office's part: a server of the same package, on the same box because it has no network, with an event on sale. */
const venueScript = `${asOffice}
echo 'STILEWARD_SERVER_OPTIONS=--listen 127.0.0.1:8443' >/etc/stileward/server.env
systemctl start stileward-server
ready=$(journalctl -u stileward-server -o cat | grep '"event":"ready"')
pin=$(sed -E 's/.*"fingerprint":"([^"]+)".*/\\1/' <<<"$ready")
password=$(head -c 18 /dev/urandom | base64)
runuser -u stileward -- stileward server operator --data /var/lib/stileward/server --name office --role administrator --password-stdin <<<"$password" >&2
stileward login --server https://127.0.0.1:8443 --fingerprint "$pin" --name office --password-stdin <<<"$password" >&2
stileward event create --id lantern-2026 --class adult >&2
stileward order issue --event lantern-2026 --class adult --count ${ticketCount} --order B-1
stileward device code --name gate-1 --minutes 60 --json
`;

async function openVenue({ shell }: BoxLife, { steps }: Proof) {
	let tickets: readonly string[] = [];
	let link = '';
	await steps.run('start a server of the same package, sell tickets, make a code for the gate', async () => {
		const printed = (await shell.must(venueScript)).split('\n');
		tickets = printed.filter((line) => line.startsWith('SW1:') || line.startsWith('eyJ'));
		link = String(JSON.parse(printed.find((line) => line.startsWith('{"name"')) ?? '{}').link);
		must(tickets.length === ticketCount, `${ticketCount} tickets: ${printed.join('\n')}`);
		return `${await shell.must('systemctl show -P StatusText stileward-server')}; ${ticketCount} tickets`;
	});
	return { tickets, link };
}

/** What `stileward setup --json` reports of what must be so. */
interface Report {
	readonly venue?: string;
	readonly ready?: boolean;
	readonly healthy: boolean;
	readonly minutes: number;
	readonly findings: readonly { readonly code: string; readonly state: string }[];
}

/** The end of what the assistant printed, where it failed. */
const outputMax = 2000;

async function setUp({ shell }: BoxLife, { steps }: Proof, link: string): Promise<void> {
	const answers = `name: gate-1\n${devices}\npulse: true\nenrollment: { link: ${JSON.stringify(link)} }\n`;
	await steps.run(
		'set the gate up by answers',
		async () => {
			await shell.must(`cat >/var/tmp/gate-1.yaml <<'ANSWERS'\n${answers}ANSWERS`);
			const { code, output } = await shell.run(
				'stileward setup --answers /var/tmp/gate-1.yaml --json --set lanes.0.holdOffMs=50 2>/var/tmp/setup.log || { status=$?; cat /var/tmp/setup.log; exit $status; }',
			);
			must(code === 0, `the assistant ends with 0: ${output.slice(-outputMax)}`);
			const report = JSON.parse(output) as Report;
			const named = report.findings
				.filter(({ state }) => state !== 'ok')
				.map(({ code, state }) => `${code} (${state})`);
			must(report.healthy && report.ready === true, `the gate is ready: ${named.join(', ')}`);
			return `a gate of ${report.venue} that is ready and healthy after ${report.minutes} minutes; told: ${named.join(', ') || 'nothing'}`;
		},
		'stileward setup --answers gate-1.yaml',
	);
}
