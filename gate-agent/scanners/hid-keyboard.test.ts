import { readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openPty } from '../emulators/pty.ts';
import { hidKeyboard } from './hid-keyboard.ts';

const io = { nowMs: () => performance.now(), log: () => {}, onScan: () => {} };

/** How many descriptors of this process lead to a node. */
function descriptorsOf(node: string): number {
	const links = readdirSync('/proc/self/fd').map((fd) => {
		try {
			return readlinkSync(`/proc/self/fd/${fd}`);
		} catch {
			// The descriptor of the listing itself is closed by now.
			return '';
		}
	});
	return links.filter((link) => link === node).length;
}

describe.runIf(process.platform === 'linux')('a scanner that types', () => {
	it('keeps nothing open of a node that cannot be grabbed', async () => {
		const pty = await openPty();
		onTestFinished(() => pty.close());
		const node = realpathSync(pty.path);
		const before = descriptorsOf(node);
		for (let tries = 0; tries < 3; tries += 1) {
			const opening = hidKeyboard.open({ path: pty.path }, io);
			await expect(opening).rejects.toMatchObject({ code: 'device_absent', message: `${node} is no input device` });
		}
		expect(descriptorsOf(node)).toBe(before);
	});
});
