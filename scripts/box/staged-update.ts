import { admit, type BoxLife } from './box-life.ts';
import { asOffice, type Proof, patienceMs, ready, stick } from './proof.ts';
import { must } from './steps.ts';

/** The versions of an update: the gate runs the one, its office wants the other. */
interface Versions {
	readonly runs: string;
	readonly wanted: string;
}

/** What the office does, and the one word that is said at the gate. A gate fetches its own version, too: its way back. */
const offerScript = ({ runs, wanted }: Versions) => `${asOffice}
systemctl start stileward-server
for version in ${runs} ${wanted}; do
	deb=${stick}/stileward_\${version}_amd64.deb
	stileward release sign --dir /var/lib/stileward/server/keys --deb "$deb" >"/tmp/$version.release"
	runuser -u stileward -- stileward server release --data /var/lib/stileward/server --deb "$deb" --release "/tmp/$version.release"
done
stileward update trust
{ sed -n '/^lanes:/,$p' /etc/stileward/gate.yaml; echo 'update: { version: ${wanted}, window: "00:00-00:00" }'; } >/var/tmp/update.yaml
stileward config push --gate gate-1 --file /var/tmp/update.yaml`;

interface StagedUpdate {
	readonly proof: Proof;
	readonly versions: Versions;
	/** Admitted afterwards. */
	readonly ticket: string;
}

/** The office wants another version at the gate: nobody types anything there, and it admits afterwards. */
export async function proveStagedUpdate(life: BoxLife, { proof, versions, ticket }: StagedUpdate): Promise<void> {
	const { shell } = life;
	const { steps } = proof;
	await steps.run('the office offers a signed version, and the gate installs it by itself', async () => {
		await shell.must(offerScript(versions));
		const isThere = `[ "$(dpkg-query --show --showformat='\${Version}' stileward)" = ${versions.wanted} ]`;
		await shell.until(isThere, patienceMs);
		await shell.until('grep -q \'"kind":"installed"\' /var/lib/stileward/updates/result.json', patienceMs);
		await shell.until(ready, patienceMs);
		must((await shell.run('systemctl is-failed stileward-update')).code !== 0, 'the updater ended well');
		await admit(life, ticket, patienceMs);
		return `${await shell.must('stileward --version')} runs and admits: ${await shell.must('cat /var/lib/stileward/updates/result.json')}`;
	});
}
