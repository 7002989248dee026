import { admit, type BoxLife } from './box-life.ts';
import { usedBefore } from './installed-box.ts';
import { versionOf } from './next-version.ts';
import { type Proof, patienceMs, ready, stick } from './proof.ts';
import { proveStagedUpdate } from './staged-update.ts';
import { must } from './steps.ts';

/** A proof whose first life has left tickets. */
interface LaterProof extends Proof {
	readonly tickets: readonly string[];
}

/** Writes of a commit before the power fails, from the moment that its ticket is presented. */
const writesBeforeFailure = 3;

/** The second life, after a reboot: a ticket more, and then the power fails in the middle of the next. */
export async function proveSecondLife(life: BoxLife, proof: LaterProof): Promise<void> {
	const { steps, tickets } = proof;
	await steps.run('after a reboot: refuse a used ticket, admit another', async () => {
		await life.shell.until(ready, patienceMs);
		await refused(life, tickets[0]);
		await admit(life, tickets[4], patienceMs);
		await life.shell.must('systemctl is-active stileward-server');
		return 'gate and server came by themselves; the used ticket moved nothing, the new one the relay';
	});
	await steps.run('take the server away: from here on the gate is alone', async () => {
		await life.shell.must('systemctl disable --now stileward-server');
		return life.shell.must('systemctl show -P ActiveState stileward-server');
	});
	await steps.run('the power fails in the middle of an admission', async () => {
		// What the ticket before has left to be written is on the disk: the next write is that of the next admission.
		await life.shell.must('sync');
		const dark = life.failWithWrite(writesBeforeFailure);
		await life.present(tickets[5] ?? '');
		await dark;
		return 'with a write that was in the disk’s cache alone';
	});
}

/** The third life, after the power failed: nothing that was acknowledged is lost; then upgrade, downgrade, removal. */
export async function proveThirdLife(life: BoxLife, proof: LaterProof): Promise<void> {
	const { steps, tickets } = proof;
	await steps.run('after the power cut: what was admitted is used, another ticket is admitted', async () => {
		await life.shell.until(ready, patienceMs);
		for (const ticket of [...usedBefore, 4]) await refused(life, tickets[ticket]);
		await admit(life, tickets[6], patienceMs);
		return `${usedBefore.length + 1} tickets that had opened the gate are refused, a new one opened it`;
	});
	await upgrade(life, proof);
	const { wanted, packages } = proof;
	if (wanted !== undefined) {
		const versions = { runs: versionOf(packages[1]), wanted };
		await proveStagedUpdate(life, { proof, versions, ticket: tickets[8] ?? '' });
	}
	await refuseDowngrade(life, proof);
	await remove(life, proof);
}

/** Presents a used ticket and waits for the journal to say so; the relay must not move. */
async function refused(life: BoxLife, ticket = ''): Promise<void> {
	const count = "journalctl -b -u stileward-gate -o cat | grep -c 'already_redeemed' || true";
	const before = Number(await life.shell.must(count));
	const edges = (await life.edges()).length;
	await life.present(ticket);
	await life.shell.until(`[ "$(${count})" -gt ${before} ]`, patienceMs);
	must((await life.edges()).length === edges, 'a refused ticket moves no relay');
}

async function upgrade(life: BoxLife, { steps, tickets, packages: [, newer] }: LaterProof): Promise<void> {
	const { shell } = life;
	await steps.run('upgrade while the service runs', async () => {
		const before = await shell.must('systemctl show -P MainPID stileward-gate');
		await shell.must(`apt-get install -y -qq -o Dpkg::Use-Pty=0 ${stick}/${newer}`);
		const after = await shell.must('systemctl show -P MainPID stileward-gate');
		must(after !== '0' && after !== before, 'the agent of the new version runs');
		await shell.until(ready, patienceMs);
		await refused(life, tickets[6]);
		await admit(life, tickets[7], patienceMs);
		return `${await shell.must('stileward --version')} runs, knows the used tickets and admits`;
	});
}

async function refuseDowngrade({ shell }: BoxLife, { steps, wanted, packages: [older, newer] }: Proof): Promise<void> {
	const setSchema = (schema: number) =>
		`/usr/lib/stileward/bin/node -e "require('/usr/lib/stileward/node_modules/better-sqlite3')('/var/lib/stileward/gate/ledger.db').pragma('user_version = ${schema}')"`;
	await steps.run('refuse a downgrade below the ledger’s schema', async () => {
		await shell.must('systemctl stop stileward-gate');
		const schema = Number(/^ledger (\d+)$/m.exec(await shell.must('cat /usr/lib/stileward/schemas'))?.[1]);
		await shell.must(setSchema(schema + 1));
		const { code, output } = await shell.run(`dpkg --install ${stick}/${older}`);
		must(code !== 0 && /has schema/.test(output), `dpkg refuses: ${output}`);
		const kept = /^Version: (.+)$/m.exec(await shell.must('dpkg-query --status stileward'))?.[1] ?? '';
		must(kept === (wanted ?? versionOf(newer)), `the newer version stays: ${kept}`);
		await shell.must(setSchema(schema));
		await shell.must('systemctl start stileward-gate');
		return output.split('\n').find((line) => line.includes('has schema')) ?? '';
	});
}

async function remove({ shell }: BoxLife, { steps }: Proof): Promise<void> {
	await steps.run('remove it: the data stays', async () => {
		await shell.must('apt-get remove -y stileward');
		await shell.must('test -s /var/lib/stileward/gate/ledger.db && test -s /etc/stileward/gate.yaml');
		must((await shell.run('systemctl is-active stileward-gate')).code !== 0, 'nothing runs');
		must((await shell.run('test -e /usr/lib/stileward/bin/node')).code !== 0, 'the program is gone');
		return 'ledger and configuration are there';
	});
	await steps.run('purge it: nothing stays', async () => {
		await shell.must('apt-get purge -y stileward');
		const left = await shell.must(
			'ls -d /var/lib/stileward/* /etc/stileward /usr/lib/stileward /run/stileward /var/cache/stileward 2>/dev/null; true',
		);
		must(left === '', `nothing is left: ${left}`);
		must((await shell.run('getent passwd stileward')).code !== 0, 'the user is gone');
		return 'data, configuration and user are gone';
	});
}
