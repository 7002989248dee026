import { describe, expect, it } from 'vitest';
import { StilewardError } from '../core/errors.ts';
import { createPendingWrites, type Send } from './pending-writes.ts';

/** A line that takes bytes when it is told to. */
function slowLine() {
	const stalls: StilewardError[] = [];
	const handed: { readonly bytes: Buffer; readonly taken: (cause?: Error | null) => void }[] = [];
	const send: Send = (bytes, taken) => void handed.push({ bytes, taken });
	const writes = createPendingWrites({
		path: '/dev/line',
		gone: (cause) => new StilewardError('device_lost', 'the line is gone', { cause }),
		onStall: (timeout) => void stalls.push(timeout),
	});
	return { writes, send, handed, stalls };
}

describe('writes on their way', () => {
	it('settle by the word of the line, each by its own', async () => {
		const { writes, send, handed, stalls } = slowLine();
		const [first, second] = [writes.write(Uint8Array.of(1), 5_000, send), writes.write(Uint8Array.of(2), 5_000, send)];
		const cause = new Error('input/output error');
		handed[1]?.taken(cause);
		handed[0]?.taken(null);
		await expect(second).rejects.toMatchObject({ code: 'device_lost', cause });
		await expect(first).resolves.toBeUndefined();
		expect(stalls).toEqual([]);
	});

	it('are what the caller wrote, also where it uses its buffer again', () => {
		const { writes, send, handed } = slowLine();
		const buffer = Uint8Array.of(1, 2, 3);
		void writes.write(buffer, 5_000, send);
		buffer.fill(0);
		expect([...(handed[0]?.bytes ?? [])]).toEqual([1, 2, 3]);
		handed[0]?.taken();
	});

	it('end the line when it takes no bytes in time, and a late word changes nothing', async () => {
		const { writes, send, handed, stalls } = slowLine();
		const write = writes.write(Uint8Array.of(1), 10, send);
		await expect(write).rejects.toMatchObject({
			code: 'device_timeout',
			message: expect.stringContaining('/dev/line'),
		});
		expect(stalls).toMatchObject([{ code: 'device_timeout' }]);
		handed[0]?.taken();
		writes.end();
		await expect(write).rejects.toMatchObject({ code: 'device_timeout' });
	});

	it('are rejected by the end of the line, and nothing is handed to it afterwards', async () => {
		const { writes, send, handed, stalls } = slowLine();
		const both = [writes.write(Uint8Array.of(1), 50, send), writes.write(Uint8Array.of(2), 50, send)];
		writes.end();
		for (const write of both) await expect(write).rejects.toMatchObject({ code: 'device_lost' });
		await expect(writes.write(Uint8Array.of(3), 50, send)).rejects.toMatchObject({ code: 'device_lost' });
		expect(handed).toHaveLength(2);
		expect(stalls).toEqual([]);
	});
});
