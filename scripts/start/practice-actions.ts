import type { IncomingMessage } from 'node:http';
import Type from 'typebox';
import { Check } from 'typebox/value';
import { laneIds, orderSamples, outcomeCharactersMax, type PracticeAction, sampleNames } from './page/practice-wire.ts';

/** The longest body of an action: a scanner reads no more than 4,096 bytes, and JSON may write each as six. */
export const actionBytesMax = 32 * 1024;

const strict = { additionalProperties: false } as const;
const lane = Type.Enum([...laneIds]);
const at = Type.Enum([...laneIds, 'both']);
const cable = Type.Enum([...laneIds, 'both', 'handheld']);
const ticket = Type.Enum([...orderSamples]);

const laneActions = [
	Type.Object({ kind: Type.Literal('walk'), lane, direction: Type.Enum(['entry', 'exit']) }, strict),
	Type.Object({ kind: Type.Literal('force'), lane }, strict),
	Type.Object({ kind: Type.Literal('press'), lane, contact: Type.Enum(['staff_button', 'emergency_reset']) }, strict),
	Type.Object(
		{ kind: Type.Literal('set'), lane, contact: Type.Enum(['fire', 'tamper']), active: Type.Boolean() },
		strict,
	),
	Type.Object(
		{ kind: Type.Literal('plug'), lane, device: Type.Enum(['scanner', 'board']), plugged: Type.Boolean() },
		strict,
	),
	Type.Object(
		{ kind: Type.Literal('mode'), lane, mode: Type.Enum(['entry', 'exit', 'both', 'free', 'locked', 'drop_arm']) },
		strict,
	),
] as const;

const actionSchema = Type.Union([
	...laneActions,
	Type.Object(
		{ kind: Type.Literal('present'), sample: Type.Enum([...sampleNames]), at, walk: Type.Optional(Type.Boolean()) },
		strict,
	),
	Type.Object({ kind: Type.Literal('present_text'), text: Type.String({ minLength: 1, maxLength: 4096 }), at }, strict),
	Type.Object({ kind: Type.Literal('new_tickets') }, strict),
	Type.Object({ kind: Type.Literal('link'), at: cable, up: Type.Boolean() }, strict),
	Type.Object({ kind: Type.Literal('refund'), sample: ticket }, strict),
	Type.Object({ kind: Type.Literal('restore'), sample: ticket }, strict),
	Type.Object(
		{
			kind: Type.Literal('close_case'),
			id: Type.String({ pattern: '^[A-Za-z0-9._:/-]{1,128}$' }),
			text: Type.String({ minLength: 1, maxLength: outcomeCharactersMax }),
		},
		strict,
	),
]);

/** Reads the action in the body of a request; undefined where there is none that the page could have sent. */
export async function readAction(request: IncomingMessage): Promise<PracticeAction | undefined> {
	const text = await readBody(request);
	if (text === undefined) return undefined;
	try {
		const value: unknown = JSON.parse(text);
		return Check(actionSchema, value) ? value : undefined;
	} catch {
		return undefined;
	}
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
	const chunks: Buffer[] = [];
	let bytes = 0;
	for await (const chunk of request as AsyncIterable<Buffer>) {
		bytes += chunk.length;
		if (bytes > actionBytesMax) return undefined;
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString('utf8');
}
