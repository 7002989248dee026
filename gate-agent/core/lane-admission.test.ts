import { table } from './lane-story.suite.ts';

const acts = ['pulse', 'hold', 'settle', 'deny', 'alarm', 'record '];
const money = ['pulse', 'settle'];
const noSensor = { passageSensor: false };

table('an admission', [
	[
		'is not ended by the answer to an older pulse',
		{
			config: noSensor,
			only: money,
			when: ['0 agent pulse silent', '0 scan adult:1', '5500 scan adult:2', '6000 pulsed 2', '7000 pulsed 5'],
		},
		['0 pulse entry', '5000 settle not_taken 0 back', '5500 pulse entry', '7000 settle taken_assumed 1'],
	],
	[
		'opens once, waits for the visitor and is taken by the passage',
		{ when: ['0 scan adult:1', '1500 pass entry', '9000 wait'] },
		['0 show idle', '0 pulse entry', '0 show granted adult', '1500 settle taken 1', '1500 show idle'],
	],
	[
		'is assumed as taken once the pulse is confirmed, where there is no sensor',
		{ config: noSensor, when: ['0 scan adult:1', '9000 wait'] },
		['0 show idle', '0 pulse entry', '0 show granted adult', '0 settle taken_assumed 1', '3000 show idle'],
	],
	[
		'is given back uncounted when the relay fails, and the next confirmed pulse ends the alarm',
		{ config: noSensor, when: ['0 agent pulse fail', '0 scan adult:1', '500 agent pulse ok', '500 scan adult:1'] },
		[
			'0 show idle',
			'0 pulse entry',
			'0 show granted adult',
			'0 alarm relay_failed on',
			'0 settle not_taken 0 back',
			'0 show refused lane_closed out_of_service',
			'500 pulse entry',
			'500 show granted adult',
			'500 alarm relay_failed off',
			'500 settle taken_assumed 1',
		],
	],
	[
		'counts a visitor who passes before the relay has answered',
		{ only: money, when: ['0 agent pulse silent', '0 scan adult:1', '100 pass entry', '200 pulsed 2', '9000 wait'] },
		['0 pulse entry', '100 settle taken 1'],
	],
	[
		'treats a relay that never answers as failed, and still takes the use if somebody passes after all',
		{ only: acts, when: ['0 agent pulse silent', '0 scan adult:1', '7000 pass entry'] },
		[
			'0 pulse entry',
			'6000 alarm relay_failed on',
			'6000 record alarm',
			'6000 settle not_taken 0 back',
			'7000 settle taken 1 late',
		],
	],
	[
		'shows a cue and opens',
		{ only: ['show granted', 'pulse'], when: ['0 scan child:1'] },
		['0 pulse entry', '0 show granted child check_height'],
	],
	[
		'refuses what the check refuses, with no pulse, and opens for the next good ticket',
		{
			only: [...acts, 'show refused'],
			when: ['0 scan forged', '100 scan elsewhere', '200 noise', '300 noise', '400 scan adult:1'],
		},
		[
			'0 deny bad_signature',
			'0 show refused bad_signature',
			'100 deny in_progress',
			'100 show refused in_progress',
			'200 deny unreadable',
			'200 show refused unreadable',
			'300 deny unreadable',
			'400 pulse entry',
		],
	],
	[
		'stays shut when the ledger cannot commit or does not answer',
		{
			only: acts,
			when: ['0 agent redeem fail', '0 scan adult:1', '10 agent redeem silent', '10 scan adult:2', '6000 wait'],
		},
		['0 deny ledger_error', '5010 deny ledger_error'],
	],
	[
		'asks a visitor to wait only when the check is slow',
		{ only: ['show'], when: ['0 agent check silent', '0 scan adult:1', '1000 wait'] },
		['0 show idle', '150 show please_wait'],
	],
	[
		'gives a grant back that comes after the lane has given up',
		{ only: acts, when: ['0 agent redeem silent', '0 scan adult:1', '6000 granted 1'] },
		['5000 deny ledger_error', '6000 settle not_taken 0 back'],
	],
]);

table('the same code again', [
	[
		'while the gate is open says go through and never pulses twice',
		{ only: ['pulse', 'show'], when: ['0 scan adult:1', '500 scan adult:1', '2500 scan adult:1', '3000 pass entry'] },
		['0 show idle', '0 pulse entry', '0 show granted adult', '2500 show go_through', '3000 show idle'],
	],
	[
		'is held off for two seconds from the first read, not longer, where there is no sensor',
		{
			config: noSensor,
			only: ['pulse', 'deny'],
			when: ['0 scan adult:1', '700 scan adult:1', '1400 scan adult:1', '2100 scan adult:1'],
		},
		['0 pulse entry', '2100 deny already_redeemed'],
	],
	[
		'opens at once after the passage, for the next of several uses',
		{ only: ['pulse'], when: ['0 scan coach:1', '800 pass entry', '1000 scan coach:1'] },
		['0 pulse entry', '1000 pulse entry'],
	],
	[
		'is refused once and not again while it is held off',
		{
			only: ['deny', 'show refused'],
			when: ['0 scan forged', '500 scan forged', '1999 scan forged', '2000 scan forged'],
		},
		[
			'0 deny bad_signature',
			'0 show refused bad_signature',
			'2000 deny bad_signature',
			'2000 show refused bad_signature',
		],
	],
	[
		'does not take turns with another phone before the scanner',
		{
			config: noSensor,
			only: ['pulse', 'deny', 'show'],
			when: [
				'0 scan adult:1',
				...[100, 300, 500, 700].flatMap((ms) => [`${ms} scan forged`, `${ms + 100} scan adult:1`]),
			],
		},
		[
			'0 show idle',
			'0 pulse entry',
			'0 show granted adult',
			'100 deny bad_signature',
			'100 show refused bad_signature',
		],
	],
]);

table('a lane that is busy', [
	[
		'serves the next code after the passage, and drops one that waited too long behind it',
		{
			only: ['pulse', 'settle'],
			when: [
				'0 scan adult:1',
				'100 scan adult:2',
				'1000 pass entry',
				'1500 scan adult:3',
				'6500 pass entry',
				'20000 wait',
			],
		},
		['0 pulse entry', '1000 settle taken 1', '1000 pulse entry', '6500 settle taken 1'],
	],
	[
		'serves a code that is still being presented when its turn comes',
		{
			only: ['pulse', 'settle taken'],
			when: ['0 scan adult:1', '100 scan adult:2', '4000 scan adult:2', '5000 pass entry'],
		},
		['0 pulse entry', '5000 settle taken 1', '5000 pulse entry'],
	],
	[
		'serves a code that waited long only because checks are slow',
		{ only: ['check'], when: ['0 agent check silent', '0 scan adult:1', '1 scan adult:2', '6000 wait'] },
		['0 check adult:1', '5000 check adult:2'],
	],
	[
		'refuses every code of a burst, then opens for the next good one',
		{
			only: ['deny', 'pulse'],
			when: [...Array.from({ length: 200 }, (_, n) => `0 scan forged:${n}`), '10 scan adult:1'],
		},
		[...Array.from({ length: 200 }, () => '0 deny bad_signature'), '10 pulse entry'],
	],
]);

table('a class that staff confirm', [
	[
		'waits for the button and redeems then',
		{ only: ['redeem', 'pulse', 'show wait'], when: ['0 scan senior:1', '5000 button', '6000 pass entry'] },
		['0 show wait_staff check_id', '5000 redeem lantern/1', '5000 pulse entry'],
	],
	[
		'is let in by a handheld as well',
		{ only: ['pulse'], when: ['0 scan senior:1', '5000 confirm'] },
		['5000 pulse entry'],
	],
	[
		'is refused without being redeemed when staff reject it or nobody comes',
		{
			only: ['redeem', 'deny', 'settle'],
			when: ['0 scan senior:1', '1000 reject', '10000 scan senior:1', '40000 wait'],
		},
		['1000 deny staff_needed', '30000 deny staff_needed'],
	],
	[
		'is refused when the lane closes meanwhile',
		{ only: ['redeem', 'deny', 'pulse'], when: ['0 scan senior:1', '1000 mode locked', '2000 button'] },
		['1000 deny lane_closed locked'],
	],
]);
