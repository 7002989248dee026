import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { architectures } from './architecture.ts';
import { controlText, debianVersion, services } from './debian-package.ts';

const configs = fileURLToPath(new URL('../../device-configs', import.meta.url));
const rules = readFileSync(join(configs, 'udev/61-stileward.rules'), 'utf8');

/** Vendor and product of every line that names a device. */
const named = [...rules.matchAll(/^ATTRS\{idVendor\}=="(\w+)",(?: ATTRS\{idProduct\}=="([^"]+)",)? ENV/gm)].map(
	([, vendor, product]) => ({ vendor, product: new RegExp(`^${(product ?? '*').replace('*', '.*')}$`) }),
);

const models = globSync('{scanners,relays}/*.yaml', { cwd: configs }).flatMap((file) => {
	const { usb = [] } = parse(readFileSync(join(configs, file), 'utf8')) as { usb?: { id: string }[] };
	return usb.map(({ id }) => [file, id] as const);
});

it.each(models)('has a rule for the device of %s, %s', (_file, id) => {
	const [vendor, product = ''] = id.split(':');
	expect(named.some((each) => each.vendor === vendor && each.product.test(product))).toBe(true);
});

it.each(services)('has a unit %s that starts where it is configured, hardened, with a watchdog', (unit) => {
	const text = readFileSync(join(configs, 'systemd', unit), 'utf8');
	for (const line of [
		'Type=notify',
		'NotifyAccess=main',
		'NoNewPrivileges=yes',
		'ProtectSystem=strict',
		'User=stileward',
	]) {
		expect(text).toContain(`\n${line}\n`);
	}
	expect(text).toMatch(/^ConditionPathExists=\/etc\/stileward\//m);
	expect(text).toMatch(/^WatchdogSec=\d+s$/m);
});

it('sorts a pre-release before its release, as Debian does', () => {
	expect(debianVersion('1.2.0-rc.1')).toBe('1.2.0~rc.1');
	expect(debianVersion('1.2.0')).toBe('1.2.0');
});

it('says what the package depends on, and nothing that installs', () => {
	const text = controlText({ version: '1.2.0', architecture: architectures.arm64, kilobytes: 7 });
	expect(text).toContain('Architecture: arm64\n');
	expect(text).toMatch(/^Depends: .*libusb-1\.0-0/m);
	expect(text).not.toContain('Pre-Depends');
});
