import { table } from './lane-story.suite.ts';

const acts = ['pulse', 'hold', 'settle', 'deny', 'alarm', 'record '];
const money = ['pulse', 'settle'];
const noSensor = { passageSensor: false };

table('a re-entry', [
	[
		'holds no use, and is one passage',
		{ only: money, when: ['0 scan returning:1', '1000 pass entry', '2000 scan returning:1', '9000 pass entry'] },
		[
			'0 pulse entry',
			'1000 settle taken 1',
			'2000 pulse entry',
			'8000 settle not_taken 0 back counted',
			'9000 settle taken 1 late',
		],
	],
]);

table('a visitor who does not pass', [
	[
		'gets the use back, and a passage soon after takes it again',
		{ only: money, when: ['0 scan adult:1', '6500 pass entry', '20000 wait'] },
		['0 pulse entry', '6000 settle not_taken 0 back counted', '6500 settle taken 1 late'],
	],
	[
		'has the class’s own time, for wheelchairs',
		{ only: money, when: ['0 scan wheelchair:1', '19000 pass entry'] },
		['0 pulse entry', '19000 settle taken 1'],
	],
	[
		'gets the use back twice, then it stays consumed',
		{
			only: [...money, 'show not_taken', 'deny'],
			when: ['0 scan adult:1', '10000 scan adult:1', '20000 scan adult:1', '30000 scan adult:1'],
		},
		[
			'0 pulse entry',
			'6000 settle not_taken 0 back counted',
			'6000 show not_taken back',
			'10000 pulse entry',
			'16000 settle not_taken 0 back counted',
			'16000 show not_taken back',
			'20000 pulse entry',
			'26000 settle not_taken 0',
			'26000 show not_taken',
			'30000 deny already_redeemed',
		],
	],
	[
		'gets nothing back where the class forbids it, and a late passage is no forced one',
		{ only: acts, when: ['0 scan strict:1', '7000 pass entry'] },
		['0 pulse entry', '6000 settle not_taken 0'],
	],
	[
		'is assumed to have passed where the contacts were not read for a while',
		{ only: money, when: ['0 scan adult:1', '500 unseen', '10000 scan adult:2', '12000 pass entry'] },
		['0 pulse entry', '6000 settle taken_assumed 1', '10000 pulse entry', '12000 settle taken 1'],
	],
	[
		'leaves the passage to the next grant, once that is open',
		{ only: money, when: ['0 scan adult:1', '6100 scan adult:2', '7000 pass entry', '7500 pass entry'] },
		[
			'0 pulse entry',
			'6000 settle not_taken 0 back counted',
			'6100 pulse entry',
			'7000 settle taken 1',
			'7500 settle taken 1 late',
		],
	],
	[
		'who presents again and passes is not charged twice by whoever follows',
		{ only: [...money, 'alarm'], when: ['0 scan adult:1', '6100 scan adult:1', '7000 pass entry', '8000 pass entry'] },
		[
			'0 pulse entry',
			'6000 settle not_taken 0 back counted',
			'6100 pulse entry',
			'7000 settle taken 1',
			'8000 alarm forced_open on',
		],
	],
]);

const fiveMissed = [1, 2, 3, 4, 5].map((n) => `${n * 10_000} scan adult:${n}`);

table('a dead sensor', [
	[
		'is not suspected by a group whose last visitors stayed out',
		{ only: ['alarm'], when: ['0 scan group:9', '1000 pass entry', ...fiveMissed.slice(0, 4), '50000 wait'] },
		[],
	],
	[
		'that recovers during a staff order does not count its first visitor twice',
		{
			only: ['pulse', 'alarm'],
			when: [...fiveMissed, '70000 admit 2', '71000 pass entry', '72000 pass entry', '73000 pass entry'],
		},
		[
			...[10, 20, 30, 40, 50].map((s) => `${s}000 pulse entry`),
			'56000 alarm sensor_dead on',
			'70000 pulse entry',
			'71000 alarm sensor_dead off',
			'71000 pulse entry',
			'73000 alarm forced_open on',
		],
	],
	[
		'is known after five in a row; grants are then assumed until a passage is seen',
		{
			only: ['settle', 'alarm'],
			when: [
				...fiveMissed,
				'70000 scan adult:6',
				'71000 pass entry',
				'80000 scan adult:7',
				'81000 pass entry',
				'82000 pass entry',
			],
		},
		[
			...[16, 26, 36, 46, 56].map((s) => `${s}000 settle not_taken 0 back counted`),
			'56000 alarm sensor_dead on',
			'70000 settle taken_assumed 1',
			'71000 alarm sensor_dead off',
			'81000 settle taken 1',
			'82000 alarm forced_open on',
		],
	],
	[
		'is not assumed when somebody passed in between',
		{ only: ['alarm'], when: [...fiveMissed.slice(0, 4), '47000 pass entry', '50000 scan adult:5', '60000 wait'] },
		[],
	],
]);

table('a group', [
	[
		'counts a passage once, however often its contact is reported',
		{
			only: money,
			when: ['0 scan group:1', '1000 enter entry', '1100 enter entry', '1200 enter entry', '1300 stop_group'],
		},
		['0 pulse entry', '1300 settle taken 1 back'],
	],
	[
		'runs until all have passed, each with a pulse of his own',
		{
			only: [...money, 'show'],
			when: ['0 scan group:1', '1000 pass entry', '2000 enter entry', '2400 leave entry', '3000 pass entry'],
		},
		[
			'0 show idle',
			'0 pulse entry',
			'0 show granted group 0 of 3',
			'1000 show granted group 1 of 3',
			'1000 pulse entry',
			'2000 show granted group 2 of 3',
			'2400 pulse entry',
			'3000 settle taken 3',
			'3000 show idle',
		],
	],
	[
		'that the guide stops keeps the rest',
		{ only: money, when: ['0 scan group:1', '1000 pass entry', '2000 stop_group'] },
		['0 pulse entry', '1000 pulse entry', '2000 settle taken 1 back'],
	],
	[
		'that pauses for too long keeps the rest uncounted, and can go on later',
		{
			only: money,
			when: ['0 scan group:1', '1000 pass entry', '20000 scan group:1', '21000 pass entry', '22000 pass entry'],
		},
		[
			'0 pulse entry',
			'1000 pulse entry',
			'9000 settle taken 1 back',
			'20000 pulse entry',
			'21000 pulse entry',
			'22000 settle taken 2',
		],
	],
	[
		'that nobody followed gets all back uncounted',
		{ only: money, when: ['0 scan group:1', '20000 wait'] },
		['0 pulse entry', '8000 settle not_taken 0 back'],
	],
	[
		'whose ticket is presented again is told to go through',
		{ only: ['pulse', 'show go'], when: ['0 scan group:1', '3000 scan group:1'] },
		['0 pulse entry', '3000 show go_through'],
	],
	[
		'is scanned for one by one where no sensor can count it',
		{ config: noSensor, only: money, when: ['0 scan group:1', '3000 scan group:1'] },
		['0 pulse entry', '0 settle taken_assumed 1 back', '3000 pulse entry', '3000 settle taken_assumed 1 back'],
	],
]);

table('an entry without a ticket', [
	[
		'is written down before the gate opens, once per order, with a pulse for each visitor',
		{
			only: ['record staff', 'pulse', 'settle'],
			when: ['0 admit 2', '1000 pass entry', '2000 pass entry', '3000 wait'],
		},
		['0 record staff_entry 2 infant by li', '0 pulse entry', '1000 pulse entry'],
	],
	[
		'keeps the gate shut when it cannot be written',
		{ only: ['pulse', 'show refused'], when: ['0 agent record_entry fail', '0 admit 1'] },
		['0 show refused ledger_error'],
	],
	[
		'waits for the visitor under way',
		{ only: ['record staff', 'pulse', 'settle'], when: ['0 scan adult:1', '500 admit 1', '1000 pass entry'] },
		['0 pulse entry', '1000 settle taken 1', '1000 record staff_entry 1 infant by li', '1000 pulse entry'],
	],
	[
		'that waited too long behind a visitor is dropped',
		{ only: ['record staff'], when: ['0 scan wheelchair:1', '500 admit 1', '6000 pass entry'] },
		[],
	],
	[
		'is what the staff button does where it opens once',
		{ config: { staffButton: 'open_once' }, only: ['record staff', 'pulse'], when: ['0 button'] },
		['0 record staff_entry 1 staff by button', '0 pulse entry'],
	],
	['is not what the button does where it only confirms', { only: ['record staff', 'pulse'], when: ['0 button'] }, []],
	[
		'is paced by time where there is no sensor, and ends when staff stop it',
		{ config: noSensor, only: ['pulse'], when: ['0 admit 5', '13000 stop_group', '60000 wait'] },
		['0 pulse entry', '6000 pulse entry', '12000 pulse entry'],
	],
	[
		'is ignored with a senseless count',
		{ only: ['record staff', 'pulse'], when: ['0 admit 0', '0 admit -1', '0 admit 1.5', '0 admit 101'] },
		[],
	],
]);
