import { readFileSync } from 'node:fs';
import Type, { type Static } from 'typebox';
import { Default, Errors } from 'typebox/value';
import { languages } from '../../gate-agent/checks/finding.ts';
import { type Problem, parseConfig } from '../../gate-agent/config-source.ts';
import { StilewardError } from '../../gate-agent/core/errors.ts';

const strict = { additionalProperties: false } as const;
const devicePart = (what: string) =>
	Type.Record(Type.String(), Type.Unknown(), {
		description: `${what}: model or driver and their options, as in a gate’s file.`,
	});

/** What a file of answers says. Every key is checked; whatever is left out is found out, or named as missing. */
export const answersSchema = Type.Object(
	{
		language: Type.Optional(Type.Enum([...languages], { description: 'Language of comments and report.' })),
		name: Type.Optional(
			Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,31}$', description: 'Name of the gate; the host’s where absent.' }),
		),
		mode: Type.Enum(['entry', 'exit'], { default: 'entry', description: 'How the lane is run.' }),
		scanner: Type.Optional(devicePart('The scanner, where more than one device could be it')),
		relay: Type.Optional(devicePart('The relay board, where more than one device could be it')),
		inputs: Type.Optional(devicePart('Contacts')),
		feedback: Type.Optional(devicePart('Lamps')),
		pulse: Type.Boolean({
			default: false,
			description: 'Whether the relay is closed once: nobody may stand in the gate.',
		}),
		scanSeconds: Type.Integer({
			minimum: 0,
			maximum: 3600,
			default: 0,
			description: 'How long a test scan is waited for; 0 skips it.',
		}),
		enrollment: Type.Optional(
			Type.Union([
				Type.Object({ link: Type.String({ description: 'Text of the enrollment QR code.' }) }, strict),
				Type.Object(
					{
						server: Type.String({ description: 'https://HOST:PORT.' }),
						fingerprint: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', description: 'Pin of the server.' }),
						code: Type.String({ minLength: 8, maxLength: 64, description: 'One-time code.' }),
					},
					strict,
				),
			]),
		),
		keys: Type.Optional(
			Type.Object(
				{
					dir: Type.String({ minLength: 1, description: 'Key folder of a gate without a server.' }),
					event: Type.String({ pattern: '^[a-z0-9-]{1,32}$', description: 'Its event.' }),
				},
				strict,
			),
		),
		replaceEnrollment: Type.Boolean({ default: false, description: 'Enroll anew where the data folder is enrolled.' }),
		replaceConfig: Type.Boolean({
			default: false,
			description: 'Write the configuration anew where there is one; the old one is kept.',
		}),
		despiteFaults: Type.Boolean({ default: false, description: 'Go on though a check found faults.' }),
	},
	{ ...strict, $id: 'https://stileward.example/answers.schema.json', title: 'Answers for stileward setup' },
);

/** @see answersSchema */
export type Answers = Static<typeof answersSchema>;

/** Answers as they stand in their file. */
export interface ReadAnswers {
	readonly file: string;
	readonly answers: Answers;
	/** What the schema finds; more is found once the devices are known. */
	readonly problems: readonly Problem[];
}

/** Reads a file of answers. Throws `answers_invalid` for one that cannot be read, or is not YAML. */
export function readAnswers(file: string): ReadAnswers {
	let value: unknown;
	try {
		({ value } = parseConfig(file, readFileSync(file, 'utf8'), []));
	} catch (cause) {
		const why = cause instanceof Error ? cause.message : String(cause);
		throw new StilewardError('answers_invalid', `${file}: ${why}`, { cause });
	}
	const filled = Default(answersSchema, value);
	// Checked below: where there are problems, nobody looks at the answers.
	return { file, answers: filled as Answers, problems: Errors(answersSchema, filled).flatMap(problemsOf) };
}

function problemsOf(error: ReturnType<typeof Errors>[number]): readonly Problem[] {
	const path = error.instancePath.slice(1).replaceAll('/', '.');
	const at = (key: string) => (path === '' ? key : `${path}.${key}`);
	if (error.keyword === 'additionalProperties') {
		return error.params.additionalProperties.map((key) => ({
			path: at(key),
			message: 'is not a known key',
			fix: 'remove it or correct its spelling',
		}));
	}
	if (error.keyword === 'required') {
		return error.params.requiredProperties.map((key) => ({ path: at(key), message: 'is missing', fix: 'add it' }));
	}
	return error.keyword === 'boolean' ? [] : [{ path, message: error.message, fix: 'correct the value' }];
}

/** Throws `answers_invalid` with all problems at once, where there are any. */
export function refuseProblems(file: string, problems: readonly Problem[]): void {
	if (problems.length === 0) return;
	const lines = problems.map(({ path, message, fix }) => `  ${path} ${message}: ${fix}`);
	const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
	throw new StilewardError('answers_invalid', `${file}: ${count}\n${lines.join('\n')}`);
}
