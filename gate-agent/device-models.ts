import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Type, { type Static } from 'typebox';
import { Errors } from 'typebox/value';
import { parse } from 'yaml';
import { type Problem, problemsError } from './config-source.ts';
import { usbIdPattern } from './nodes/node-schema.ts';

const strict = { additionalProperties: false } as const;
const text = (description: string) => Type.String({ minLength: 1, maxLength: 400, description });
const bothLanguages = Type.Object({ en: text('In English.'), zh: text('In Chinese.') }, strict);

/** What a file of a device model says. */
export const deviceModelSchema = Type.Object(
	{
		title: text('What people call it, with its variants.'),
		vendor: text('Who makes it.'),
		usb: Type.Optional(
			Type.Array(
				Type.Object(
					{
						id: Type.String({ pattern: usbIdPattern, description: 'Vendor and product, as lsusb writes them.' }),
						product: Type.Optional(text('Regular expression for its product string, where the id is shared.')),
					},
					strict,
				),
				{ minItems: 1, maxItems: 16 },
			),
		),
		driver: text('Name of the driver.'),
		options: Type.Record(Type.String(), Type.Unknown(), {
			description: 'Options of the driver; a gate’s own go before.',
		}),
		pulse: Type.Optional(
			Type.Enum(['hardware', 'host'], { description: 'Who ends a pulse: the board, or this computer.' }),
		),
		inputs: Type.Optional(
			Type.Object(
				{ driver: text('Driver of its contacts.'), count: Type.Integer({ minimum: 1, maximum: 64 }) },
				{ ...strict, description: 'Contacts on the same board.' },
			),
		),
		feedback: Type.Enum(['none', 'beep', 'beep and vibration', 'lamps'], {
			description: 'What it tells a visitor by itself.',
		}),
		proof: Type.Enum(['emulated', 'kernel', 'bench'], {
			description: 'emulated: against our own emulator; kernel: on the kernel’s drivers; bench: the real thing.',
		}),
		notes: Type.Array(bothLanguages, {
			minItems: 1,
			maxItems: 12,
			description: 'What to do when it is put into service.',
		}),
		source: Type.Array(text('Manual with its page, or whose code.'), { minItems: 1, maxItems: 8 }),
	},
	{ ...strict, $id: 'https://stileward.example/device-model.schema.json', title: 'Stileward device model' },
);

/** Where a model stands among the files. */
export type ModelKind = 'scanners' | 'relays';

/** A model of a device: which driver speaks to it, and how. */
export interface DeviceModel extends Static<typeof deviceModelSchema> {
	/** Its file without `.yaml`: what a configuration says. */
	readonly name: string;
	readonly kind: ModelKind;
}

const folder = fileURLToPath(new URL('../device-configs', import.meta.url));

/** Names of the models of a kind. */
export function modelNames(kind: ModelKind): readonly string[] {
	const files = readdirSync(join(folder, kind)).filter((file) => file.endsWith('.yaml'));
	return files.map((file) => basename(file, '.yaml')).toSorted();
}

/** Reads all models of a kind. Throws `config_invalid` with what is wrong with a file. */
export function readModels(kind: ModelKind): readonly DeviceModel[] {
	return modelNames(kind).map((name) => readModel(kind, name));
}

/** Reads one model. Throws `config_invalid`. */
export function readModel(kind: ModelKind, name: string): DeviceModel {
	const file = join(folder, kind, `${name}.yaml`);
	const value: unknown = parse(readFileSync(file, 'utf8'), { maxAliasCount: 0 });
	const problems = Errors(deviceModelSchema, value).map(
		({ instancePath, message }): Problem => ({
			path: instancePath.slice(1).replaceAll('/', '.'),
			message,
			fix: 'correct the model’s file',
		}),
	);
	if (problems.length > 0) throw problemsError(file, problems);
	return { ...(value as Static<typeof deviceModelSchema>), name, kind };
}

/**
 * A device of a configuration whose `model` is replaced by what it stands for: its driver and its options, over which the
 * device's own go. Gives a problem where there is no such model.
 */
export function withModel(
	kind: ModelKind,
	device: Readonly<Record<string, unknown>>,
	path: string,
): { readonly device: Readonly<Record<string, unknown>>; readonly problems: readonly Problem[] } {
	const { model: name, ...own } = device;
	if (name === undefined) return { device, problems: [] };
	const names = modelNames(kind);
	if (typeof name !== 'string' || !names.includes(name)) {
		const fix = `use one of: ${names.join(', ')}`;
		return { device: own, problems: [{ path: `${path}.model`, message: 'names no model', fix }] };
	}
	const { driver, options } = readModel(kind, name);
	if (own.driver !== undefined && own.driver !== driver) {
		const message = `is not the driver of ${name}, which is ${driver}`;
		return { device: own, problems: [{ path: `${path}.driver`, message, fix: 'leave it out' }] };
	}
	return { device: { driver, ...options, ...own }, problems: [] };
}

/** Replaces the model of each scanner and relay by the driver and the options that it stands for. */
export function expandModels(written: unknown): { value: unknown; problems: readonly Problem[] } {
	const value: unknown = structuredClone(written);
	const lanes = (value as { lanes?: unknown } | undefined)?.lanes;
	if (!Array.isArray(lanes)) return { value, problems: [] };
	const problems: Problem[] = [];
	for (const [index, lane] of lanes.entries()) {
		if (typeof lane !== 'object' || lane === null) continue;
		for (const [slot, kind] of modeledSlots) {
			const device = (lane as Record<string, unknown>)[slot];
			if (typeof device !== 'object' || device === null || Array.isArray(device)) continue;
			const expanded = withModel(kind, device as Record<string, unknown>, `lanes.${index}.${slot}`);
			problems.push(...expanded.problems);
			(lane as Record<string, unknown>)[slot] = expanded.device;
		}
	}
	return { value, problems };
}

const modeledSlots = [
	['scanner', 'scanners'],
	['exitScanner', 'scanners'],
	['relay', 'relays'],
] as const;
