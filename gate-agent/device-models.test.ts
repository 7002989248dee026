import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkConfig } from './config.ts';
import { parseConfig } from './config-source.ts';
import { deviceModelSchema, readModels } from './device-models.ts';
import { drivers } from './drivers.ts';

const gate = (scanner: string, relay: string) =>
	checkConfig(
		parseConfig(
			'gate.yaml',
			`{ event: e, keys: ./k, data: ./d, lanes: [{ id: lane-1, scanner: ${scanner}, relay: ${relay} }] }`,
			[],
		),
	);

const anyRelay = '{ driver: simulated }';
/** What only a gate can know of a device: where it is. */
const extra = (driver: string) => {
	const { options } = drivers.scanners[driver] ?? drivers.relays[driver] ?? {};
	const needs = ['path', 'host'].filter((key) => options?.required?.includes(key));
	return [
		...needs.map((key) => `, ${key}: "10.0.0.9"`),
		...(driver === 'hid-keyboard' ? [', device: "05e0:1200"'] : []),
	].join('');
};

describe('a device model', () => {
	it.each(readModels('scanners').map((model) => [model.name, model] as const))('%s opens a scanner', (name, model) => {
		const [lane] = gate(`{ model: ${name}${extra(model.driver)} }`, anyRelay).lanes;
		expect(lane?.scanner.driver).toBe(model.driver);
		expect(lane?.scanner.options).toMatchObject(model.options);
	});

	it.each(readModels('relays').map((model) => [model.name, model] as const))('%s opens a gate', (name, model) => {
		const [lane] = gate('{ driver: replay, path: /dev/x }', `{ model: ${name}${extra(model.driver)} }`).lanes;
		expect(lane?.relay?.driver).toBe(model.driver);
		expect(drivers.relays[model.driver]).toBeDefined();
		expect(model.pulse).toMatch(/^(hardware|host)$/);
		if (model.inputs) expect(drivers.inputs[model.inputs.driver]).toBeDefined();
	});

	it('gives way to what a gate writes itself', () => {
		const [lane] = gate('{ model: serial-generic, path: /dev/x, baudRate: 115200 }', anyRelay).lanes;
		expect(lane?.scanner.options).toMatchObject({ baudRate: 115_200, suffix: 'cr' });
	});

	it('that is not known is an error that lists those that are', () => {
		expect(() => gate('{ model: nothing }', anyRelay)).toThrow(/lanes\.0\.scanner\.model.*honeywell-xenon/s);
		expect(() => gate('{ model: serial-generic, driver: replay, path: /x }', anyRelay)).toThrow(
			/scanner\.driver.*serial-line/s,
		);
	});

	it('is described by the schema that editors have', () => {
		const published = readFileSync(new URL('../device-configs/model.schema.json', import.meta.url), 'utf8');
		expect(JSON.parse(published)).toEqual(JSON.parse(JSON.stringify(deviceModelSchema)));
	});
});
