import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { listenForNotices } from './notify-receiver.suite.ts';
import { connectServiceManager, noServiceManager } from './sd-notify.ts';

function listen(kind: 'a path' | 'an abstract name') {
	const dir = mkdtempSync(join(tmpdir(), 'stileward-notify-'));
	const receiver = listenForNotices(kind === 'a path' ? join(dir, 'notify') : `@stileward-test-${process.pid}`);
	onTestFinished(() => {
		receiver.close();
		rmSync(dir, { recursive: true, force: true });
	});
	return receiver;
}

const unheard = (error: unknown) => expect.unreachable(String(error));

it.each(['a path', 'an abstract name'] as const)('tells a service manager at %s what it does', async (kind) => {
	const receiver = listen(kind);
	const manager = await connectServiceManager({ NOTIFY_SOCKET: receiver.address }, unheard);
	manager.extendStart(30_000);
	manager.ready();
	manager.status('lane-1 waits\nREADY=0');
	manager.alive();
	manager.stopping();
	expect(receiver.messages()).toEqual([
		'EXTEND_TIMEOUT_USEC=30000000',
		'READY=1',
		'STATUS=lane-1 waits READY=0',
		'WATCHDOG=1',
		'STOPPING=1',
	]);
});

it('tells nobody where no service manager started the program', async () => {
	expect(await connectServiceManager({}, unheard)).toBe(noServiceManager);
	expect(await connectServiceManager({ NOTIFY_SOCKET: '' }, unheard)).toBe(noServiceManager);
});

it.each([
	{ given: { WATCHDOG_USEC: '20000000' }, watchdogMs: 20_000 },
	{ given: { WATCHDOG_USEC: '20000000', WATCHDOG_PID: `${process.pid}` }, watchdogMs: 20_000 },
	{ given: { WATCHDOG_USEC: '20000000', WATCHDOG_PID: '1' }, watchdogMs: undefined },
	{ given: { WATCHDOG_USEC: '0' }, watchdogMs: undefined },
	{ given: {}, watchdogMs: undefined },
])('beats where the watchdog asks this process: $given', async ({ given, watchdogMs }) => {
	const receiver = listen('a path');
	const manager = await connectServiceManager({ NOTIFY_SOCKET: receiver.address, ...given }, unheard);
	expect(manager.watchdogMs).toBe(watchdogMs);
});

it('goes on, and says so once, where the manager is not there', async () => {
	const failures: unknown[] = [];
	const manager = await connectServiceManager({ NOTIFY_SOCKET: '/nowhere/notify' }, (error) => failures.push(error));
	manager.ready();
	manager.alive();
	expect(failures).toMatchObject([{ name: 'SystemCallError' }]);
});

it.each(['relative', '@', `/${'x'.repeat(120)}`])('goes on where %s is no address', async (address) => {
	const failures: unknown[] = [];
	expect(await connectServiceManager({ NOTIFY_SOCKET: address }, (error) => failures.push(error))).toBe(
		noServiceManager,
	);
	expect(failures).toHaveLength(1);
});
