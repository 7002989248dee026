import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkConfig, loadConfig } from './config.ts';
import { gatePublishedSchema } from './config-schema.ts';
import { parseConfig } from './config-source.ts';
import { answerTimeoutMs, claimMsMax } from './core/lane-admission.ts';

const examples = fileURLToPath(new URL('../device-configs/gates/', import.meta.url));
const schemaFile = fileURLToPath(new URL('../device-configs/schema.json', import.meta.url));

const sound = `
event: lantern-2026
keys: /keys
data: /data
lanes:
  - id: lane-1
    scanner: { driver: serial-line, path: /dev/scanner }
    relay: { driver: serial-lcus, path: /dev/relay }
`;

/** A lane without a gate. */
const handheld = `${sound.slice(0, sound.indexOf('    scanner'))}    scanner: { driver: ble }\n`;

function check(text: string, ...sets: string[]) {
	return checkConfig(parseConfig('gate.yaml', text, sets));
}

function problemsOf(text: string, ...sets: string[]): string[] {
	try {
		check(text, ...sets);
	} catch (error) {
		expect(error).toMatchObject({ code: 'config_invalid' });
		return (error as Error).message
			.split('\n')
			.slice(1)
			.map((line) => line.trim());
	}
	throw new Error('the configuration was accepted');
}

describe('a gate configuration', () => {
	it('fills in what is not written', () => {
		const { lanes, policy, http } = check(`${sound}classes:\n  adult: {}\n`);
		expect(lanes[0]).toMatchObject({
			lane: { id: 'lane-1', zone: 'main', mode: 'entry', passageSensor: false, fireInput: false, holdOffMs: 1800 },
			scanner: { driver: 'serial-line', options: { path: '/dev/scanner', suffix: 'cr' } },
			relay: { driver: 'serial-lcus', channel: 1, exitChannel: 1, pulseMs: 300 },
		});
		expect(policy?.classes.adult).toMatchObject({ allowance: 'ticket', offline: 'admit', giveBack: true });
		expect(http).toEqual({ enabled: true, host: '127.0.0.1', port: 8480 });
	});

	it('needs no relay for a Bluetooth handheld', () => {
		const [lane] = check(handheld).lanes;
		expect(lane?.relay).toBeUndefined();
		expect(lane).toMatchObject({
			lane: { passageSensor: false },
			scanner: { options: { adapter: 'hci0', suffix: 'cr' } },
		});
	});

	it('is frozen to its last part', () => {
		const config = check(sound);
		expect(Object.isFrozen(config.lanes[0]?.scanner.options)).toBe(true);
	});

	it('lets no lane wait for its authority as long as the lane itself would wait', () => {
		expect(check(sound, `venue.claimMs=${claimMsMax}`).claimBudgetMs).toBeLessThan(answerTimeoutMs);
		expect(problemsOf(sound, `venue.claimMs=${answerTimeoutMs}`)).toEqual([expect.stringContaining('venue.claimMs')]);
	});

	it('names all problems at once, each with its line and its fix', () => {
		const problems = problemsOf(`
event: Lantern 2026
keys: /keys
colour: red
classes:
  adult: { lane: wave }
lanes:
  - id: lane-1
    scanner: { driver: barcode, path: /dev/scanner }
    relay: { driver: serial-lcus, path: /dev/relay, pulsMs: 300 }
`);
		expect(problems).toEqual([
			expect.stringMatching(/^data is missing/),
			expect.stringMatching(/^colour \(line 4\) is not a known key/),
			expect.stringMatching(/^event \(line 2\)/),
			expect.stringMatching(/^classes\.adult\.lane \(line 6\).*use one of: open, cue, confirm/),
			expect.stringMatching(/^lanes\.0\.scanner\.driver \(line 9\) names no driver: "barcode".*serial-line/),
			expect.stringMatching(/^lanes\.0\.relay\.pulsMs \(line 10\) is not a known key/),
		]);
	});

	it.each([
		[
			'two lanes of one name',
			`${sound}  - id: lane-1\n    scanner: { driver: replay, path: a }\n    relay: { driver: simulated }\n`,
			/lanes\.1\.id/,
		],
		[
			'mode both without a scanner for the exit',
			sound.replace('id: lane-1', 'id: lane-1\n    mode: both'),
			/exitScanner/,
		],
		['a time zone that does not exist', `${sound}venue: { timeZone: Mars/Olympus }\n`, /venue\.timeZone/],
		[
			'a session that ends before it begins',
			`${sound}sessions: { late: { from: 2026-11-22T20:00:00Z, until: 2026-11-22T19:00:00Z } }\n`,
			/sessions\.late\.until/,
		],
		[
			'a session without its zone',
			`${sound}sessions: { late: { from: 2026-11-22T20:00:00, until: 2026-11-22T21:00:00Z } }\n`,
			/sessions\.late\.from/,
		],
		['a cue that says nothing', `${sound}classes: { child: { lane: cue } }\n`, /classes\.child\.cue/],
		[
			'a limit without its number',
			`${sound}classes: { adult: { unverifiedLimit: refuse } }\n`,
			/classes\.adult\.unverifiedPerHour/,
		],
		[
			'a relay channel that the board does not have',
			sound.replace('path: /dev/relay', 'path: /dev/relay, channel: 3'),
			/lanes\.0\.relay\.channel/,
		],
		[
			'a lane whose relay was forgotten',
			sound.replace('    relay: { driver: serial-lcus, path: /dev/relay }\n', ''),
			/lanes\.0\.relay .*is missing.*Bluetooth handheld/,
		],
		[
			'lamps of a lane that has no board',
			`${handheld}    feedback: { driver: relay-channels, granted: [{ channel: 2 }] }\n`,
			/lanes\.0\.feedback/,
		],
	])('refuses %s', (_what, text, place) => {
		expect(problemsOf(text).join('\n')).toMatch(place);
	});

	it('takes settings of the command line over the file, and says where they came from', () => {
		const config = check(sound, 'lanes.0.relay.pulseMs=500', 'lanes.0.zone=hall-2', 'venue.dayStartsAt=04:00');
		expect(config.lanes[0]).toMatchObject({ lane: { zone: 'hall-2' }, relay: { pulseMs: 500 } });
		expect(config.policy?.dayStartsAtMinutes).toBe(240);
		expect(problemsOf(sound, 'lanes.0.relay.pulseMs=soon')).toEqual([expect.stringMatching(/pulseMs \(--set\)/)]);
	});

	it.each(['lanes', '=1', '__proto__.polluted=1', 'a..b=1'])('refuses the setting %j', (set) => {
		expect(problemsOf(sound, set)).toEqual([expect.stringContaining('is not a setting')]);
		expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
	});

	it.each([
		['a tab as indentation', 'lanes:\n\t- id: x'],
		['the same key twice', `${sound}event: other\n`],
	])('refuses YAML with %s, and names the line', (_what, text) => {
		expect(problemsOf(text)[0]).toMatch(/^line \d+/);
	});

	it('says clearly that a file is not there', () => {
		expect(() => loadConfig({ file: '/nowhere/gate.yaml' })).toThrow(
			/gate\.yaml: 1 problem\n.*cannot be read \(ENOENT\)/,
		);
	});

	it('accepts every example of device-configs', () => {
		for (const file of readdirSync(examples)) {
			expect(loadConfig({ file: examples + file, sets: ['keys=/keys', 'data=/data'] }).lanes.length).toBeGreaterThan(0);
		}
	});

	it('is described by the schema that editors use', () => {
		expect(JSON.parse(readFileSync(schemaFile, 'utf8'))).toEqual(JSON.parse(JSON.stringify(gatePublishedSchema)));
	});
});
