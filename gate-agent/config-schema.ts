import Type, { type TSchema } from 'typebox';
import { claimMsMax } from './core/lane-admission.ts';
import { drivers } from './drivers.ts';

const strict = { additionalProperties: false } as const;
const name = '^[a-z0-9][a-z0-9_-]{0,31}$';
const clockTime = '^([01][0-9]|2[0-3]):[0-5][0-9]$';

function ms(description: string, fallback: number, maximum = 600_000) {
	return Type.Integer({ minimum: 0, maximum, default: fallback, description: `${description}, in milliseconds.` });
}

const modes = ['entry', 'exit', 'both', 'free', 'locked', 'drop_arm'] as const;

const classSchema = Type.Object(
	{
		allowance: Type.Enum(['ticket', 'day', 'session', 'zone'], {
			default: 'ticket',
			description:
				'What a use is counted on: the whole ticket, the venue day (annual passes), the session or the zone.',
		}),
		reentry: Type.Enum(['none', 'after_exit'], {
			default: 'none',
			description: '`after_exit`: an exit scan permits one re-entry on the same venue day.',
		}),
		lane: Type.Enum(['open', 'cue', 'confirm'], {
			default: 'open',
			description: '`cue` opens and shows staff a hint; `confirm` waits for the staff button.',
		}),
		cue: Type.Optional(
			Type.Enum(['check_height', 'check_id', 'check_card', 'assist', 'welcome'], {
				description: 'What staff look at.',
			}),
		),
		group: Type.Enum(['single', 'run'], {
			default: 'single',
			description: '`run`: one scan keeps the lane admitting until the uses of the ticket end.',
		}),
		offline: Type.Enum(['admit', 'refuse'], {
			default: 'admit',
			description: 'Whether a ticket is admitted while the venue’s authority is out of reach.',
		}),
		unverifiedPerHour: Type.Optional(
			Type.Integer({ minimum: 1, description: 'Admissions without the authority per lane and hour before it alarms.' }),
		),
		unverifiedLimit: Type.Enum(['alarm', 'refuse'], { default: 'alarm', description: 'What happens at that limit.' }),
		homeOnly: Type.Boolean({
			default: false,
			description: 'Only the agent named in the ticket’s `home` ever admits it.',
		}),
		giveBack: Type.Boolean({ default: true, description: 'Whether a use returns when nobody passed (at most twice).' }),
		passageTimeoutMs: Type.Optional(
			Type.Integer({ minimum: 1000, maximum: 120_000, description: 'Longer wait for wheelchairs and pushchairs.' }),
		),
		clockUntrusted: Type.Enum(['admit', 'refuse'], {
			default: 'admit',
			description: 'What to do when the clock cannot tell whether the ticket has begun.',
		}),
	},
	strict,
);

const sessionSchema = Type.Object(
	{
		from: Type.String({ description: 'Start, ISO 8601 with zone, e.g. 2026-11-22T19:00:00+08:00.' }),
		until: Type.String({ description: 'End, ISO 8601 with zone.' }),
		graceMinutes: Type.Integer({ minimum: 0, default: 0, description: 'Latecomers are admitted for this long.' }),
		postponedMinutes: Type.Integer({ minimum: 0, default: 0, description: 'A rain delay moves the window.' }),
	},
	strict,
);

/** What the entries of the records `classes` and `sessions` are. */
export const recordSchemas = { classes: classSchema, sessions: sessionSchema };

/** The keys of `relay:` that belong to the lane and not to the driver of the board. */
export const relayLaneKeys = {
	channel: Type.Integer({ minimum: 1, maximum: 64, default: 1, description: 'Channel that opens the lane for entry.' }),
	exitChannel: Type.Optional(
		Type.Integer({
			minimum: 1,
			maximum: 64,
			description: 'Channel that opens it for exit, where that is another one.',
		}),
	),
	pulseMs: Type.Integer({
		minimum: 50,
		maximum: 10_000,
		default: 300,
		description: 'Length of the opening pulse, in milliseconds. Turnstiles in pulse mode want 100 to 500.',
	}),
};

/** A device by its model: options that the model gives need not be written. */
const modelVariant = Type.Object(
	{ model: Type.String({ description: 'A file of device-configs/scanners or relays, without .yaml.' }) },
	{ additionalProperties: true, title: 'model' },
);

function deviceSchema({ table, extra, byModel }: (typeof deviceSlots)[DeviceSlot]): TSchema {
	const variants = Object.values(table).map((driver) =>
		Type.Object(
			{ driver: Type.Literal(driver.name), ...extra, ...driver.options.properties },
			{ ...strict, title: driver.name },
		),
	);
	const [only, ...others] = variants;
	return only && others.length === 0 && !byModel ? only : Type.Union([...(byModel ? [modelVariant] : []), ...variants]);
}

/** The parts of a lane that name a driver; each is checked against the options of that driver. */
export const deviceSlots = {
	scanner: { table: drivers.scanners, extra: {}, byModel: true },
	exitScanner: { table: drivers.scanners, extra: {}, byModel: true },
	relay: { table: drivers.relays, extra: relayLaneKeys, byModel: true },
	inputs: { table: drivers.inputs, extra: {}, byModel: false },
	feedback: { table: drivers.feedback, extra: {}, byModel: false },
} as const;

/** Names of the parts of a lane that are devices. */
export type DeviceSlot = keyof typeof deviceSlots;

/** Timings of a lane and the rules that go with them. */
const laneRules = {
	passageTimeoutMs: ms('How long a visitor has to pass: the turnstile’s own time plus one second', 6_000),
	latePassageMs: ms('How long a late passage still belongs to its ticket', 3_000),
	holdOffMs: ms('How long the same code is ignored where no passage ends it', 1_800, 2_000),
	verdictMs: ms('How long a verdict stays on the display', 4_000),
	confirmTimeoutMs: ms('How long `confirm` waits for the staff button', 15_000),
	groupIdleMs: ms('A group run ends when nobody passed for this long', 20_000),
	openTooLongMs: ms('A passage contact active for longer raises the alarm `open_too_long`', 15_000),
	deadSensorAfter: Type.Integer({
		minimum: 2,
		maximum: 100,
		default: 5,
		description: 'Openings in a row without a passage that mean a dead sensor.',
	}),
	staffButton: Type.Enum(['confirm_only', 'open_once'], {
		default: 'confirm_only',
		description: '`open_once`: the staff button admits one visitor without a ticket when nobody waits to be confirmed.',
	}),
	staffButtonClass: Type.String({
		pattern: name,
		default: 'staff',
		description: 'Class that such a visitor is counted in.',
	}),
};

function laneSchema<Device extends TSchema>(device: (slot: keyof typeof deviceSlots) => Device) {
	return Type.Object(
		{
			id: Type.String({ pattern: name, description: 'Name of the lane, unique in this agent.' }),
			zone: Type.String({ pattern: name, default: 'main', description: 'Zone that the lane leads into.' }),
			mode: Type.Enum([...modes], { default: 'entry', description: 'How the lane is run after its first start.' }),
			scanner: device('scanner'),
			exitScanner: Type.Optional(device('exitScanner')),
			relay: Type.Optional(device('relay')),
			inputs: Type.Optional(device('inputs')),
			feedback: Type.Optional(device('feedback')),
			...laneRules,
		},
		strict,
	);
}

/** Where the venue is, and how long lanes wait for its server. */
const venueSchema = Type.Object(
	{
		timeZone: Type.String({ default: 'Asia/Shanghai', description: 'IANA time zone of the venue.' }),
		dayStartsAt: Type.String({
			pattern: clockTime,
			default: '00:00',
			description: 'When a venue day starts, HH:MM.',
		}),
		claimMs: ms('How long a lane waits for the venue’s authority; 600 over Wi-Fi', 150, claimMsMax),
		startMs: ms(
			'How long the lanes of a starting gate wait for the venue’s server, to learn what they missed',
			700,
			30_000,
		),
	},
	{ ...strict, default: {} },
);

/** Which version the gate is to run, where that is another one. */
const updateSchema = Type.Object(
	{
		version: Type.String({
			pattern: '^[0-9]{1,6}(\\.[0-9]{1,6}){2}$',
			description:
				'Version that the gate fetches from its server and installs, where `stileward update trust` allowed it.',
		}),
		window: Type.String({
			pattern: `${clockTime.slice(0, -1)}-${clockTime.slice(1)}`,
			default: '02:00-05:00',
			description: 'Hours in which it may be installed, HH:MM-HH:MM; also over midnight.',
		}),
	},
	strict,
);

function gateSchema<Lane extends TSchema>(lane: Lane) {
	return Type.Object(
		{
			agent: Type.String({
				pattern: name,
				default: 'gate',
				description: 'Name of this agent: the home gate of `home` tickets.',
			}),
			event: Type.Optional(
				Type.String({
					pattern: '^[a-z0-9-]{1,32}$',
					description:
						'Event whose tickets a gate without a server admits; an enrolled one serves the events of its venue.',
				}),
			),
			keys: Type.Optional(
				Type.String({
					minLength: 1,
					description: 'Folder with manifest.jws and root.public.jwk, for a gate without a server.',
				}),
			),
			data: Type.String({ minLength: 1, description: 'Folder of the ledger; on a disk that survives a power cut.' }),
			venue: venueSchema,
			http: Type.Object(
				{
					enabled: Type.Boolean({ default: true, description: 'Whether display, health and metrics are served.' }),
					host: Type.String({ default: '127.0.0.1', description: 'Address to listen on.' }),
					port: Type.Integer({ minimum: 0, maximum: 65_535, default: 8480, description: 'Port; 0 takes a free one.' }),
				},
				{ ...strict, default: {} },
			),
			log: Type.Object(
				{
					level: Type.Enum(['debug', 'info', 'warn', 'error'], {
						default: 'info',
						description: 'Least level that is logged.',
					}),
				},
				{ ...strict, default: {} },
			),
			classes: Type.Record(Type.String({ pattern: name }), classSchema, {
				...strict,
				default: {},
				description: 'Rules by ticket class.',
			}),
			unknownClass: Type.Enum(['admit', 'staff'], {
				default: 'admit',
				description: 'A class without rules: an ordinary ticket, or a case for staff.',
			}),
			sessions: Type.Record(Type.String({ pattern: name }), sessionSchema, {
				...strict,
				default: {},
				description: 'Windows of sessions; they override the validity of their tickets.',
			}),
			update: Type.Optional(updateSchema),
			lanes: Type.Array(lane, { minItems: 1, maxItems: 16, description: 'One to sixteen lanes.' }),
		},
		{ ...strict, $id: 'https://stileward.example/gate.schema.json', title: 'Stileward gate' },
	);
}

/** The frame of a configuration: devices are checked on their own, against the options of the driver they name. */
export const gateFrameSchema = gateSchema(
	laneSchema(() =>
		Type.Object({ driver: Type.String({ description: 'Name of the driver.' }) }, { additionalProperties: true }),
	),
);

/** The whole schema, as it is published in `device-configs/schema.json` for editors. */
export const gatePublishedSchema = gateSchema(laneSchema((slot) => deviceSchema(deviceSlots[slot])));

/** A configuration whose frame was checked and whose defaults are filled in. */
export type GateFrame = Type.Static<typeof gateFrameSchema>;
