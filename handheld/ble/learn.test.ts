import { describe, expect, it } from 'vitest';
import { learnProfile } from './learn.ts';
import { nordicUart } from './nordic-uart.ts';
import { uartScanner } from './scripted-peers.ts';

const { characteristics } = uartScanner('c0:00:00:00:00:01', 'BS80');
const { service, characteristic: notify } = nordicUart.notify;
const write = nordicUart.write.characteristic;
const told = (text: string) => [{ from: nordicUart.notify, bytes: Buffer.from(text, 'latin1') }];

describe('what is learned from a test scan', () => {
	it.each([
		['CODE\r', 'cr'],
		['CODE\r\n', 'crlf'],
		['CODE\n', 'lf'],
		['CODE\t', 'tab'],
		['CODE\x03', 'etx'],
		['CODE', 'none'],
	])('reads the suffix of %j', (text, suffix) => {
		expect(learnProfile(characteristics, told(text))).toEqual({ service, notify, write, suffix });
	});

	it('knows a packet of Newland', () => {
		const packet = '~\x010000\x00\x04CODE;\x03\x1c';
		expect(learnProfile(characteristics, told(packet))).toEqual({ service, notify, write, mode: 'newland' });
	});

	it('takes the value that told most', () => {
		const noise = { from: { service: 'fff0', characteristic: 'fff4' }, bytes: Uint8Array.of(1) };
		expect(learnProfile(characteristics, [noise, ...told('CODE\r')])?.service).toBe(service);
	});

	it('names no value to write to where there is none', () => {
		const deaf = characteristics.filter(({ properties }) => !properties.includes('write'));
		expect(learnProfile(deaf, told('CODE\r'))).toEqual({ service, notify, suffix: 'cr' });
	});

	it('learns nothing from silence', () => {
		expect(learnProfile(characteristics, [])).toBeUndefined();
	});
});
