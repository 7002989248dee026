import { table } from './lane-story.suite.ts';

const acts = ['pulse', 'hold', 'settle', 'deny', 'alarm', 'record '];
const noSensor = { passageSensor: false };
const fireWired = { fireInput: true };

table('a fire', [
	[
		'on an idle lane touches nothing, counts passages apart and stays latched until the reset at the lane',
		{
			config: fireWired,
			only: [...acts, 'show emergency'],
			when: [
				'0 fire clear',
				'1000 fire active',
				'2000 scan adult:1',
				'3000 pass entry',
				'3500 pass exit',
				'4000 emergency_reset',
				'5000 fire clear',
				'6000 scan adult:2',
				'7000 emergency_reset',
				'8000 scan adult:1',
			],
		},
		[
			'1000 record lane entry emergency by fire',
			'1000 alarm fire on',
			'1000 record alarm',
			'1000 show emergency',
			'2000 deny lane_closed emergency',
			'5000 alarm fire off',
			'5000 record alarm',
			'6000 deny lane_closed emergency',
			'7000 record passages emergency entry 1',
			'7000 record passages emergency exit 1',
			'7000 record lane entry by li',
			'8000 pulse entry',
		],
	],
	[
		'in the middle of a passage gives the use back uncounted and holds the gate open',
		{
			config: fireWired,
			only: acts.filter((word) => word !== 'record '),
			when: [
				'0 fire clear',
				'0 scan group:1',
				'1000 pass entry',
				'1500 fire active',
				'2000 fire clear',
				'3000 emergency_reset',
			],
		},
		[
			'0 pulse entry',
			'1000 pulse entry',
			'1500 hold open',
			'1500 settle taken 1 back',
			'1500 alarm fire on',
			'2000 alarm fire off',
			'3000 hold release',
		],
	],
	[
		'just after an assumed passage holds the gate open too: the turnstile may still be unlocked',
		{
			config: { ...fireWired, ...noSensor },
			only: ['hold', 'settle'],
			when: ['0 fire clear', '0 scan adult:1', '1000 fire active'],
		},
		['0 settle taken_assumed 1', '1000 hold open'],
	],
	[
		'that burns already when the relay board is opened touches nothing',
		{ config: fireWired, only: ['hold', 'pulse'], when: ['0 relay opened', '500 fire active', '900 fire clear'] },
		[],
	],
	[
		'that cannot be read changes nothing: no pulse, no hold, no release',
		{
			config: { ...fireWired, mode: 'free' },
			only: [...acts.filter((word) => word !== 'record '), 'show'],
			when: ['0 fire clear', '10 fire unknown', '20 mode entry', '30 scan adult:1', '40 fire clear'],
		},
		[
			'0 alarm free_access on',
			'0 show out_of_service fire',
			'0 hold open',
			'0 show free',
			'10 show out_of_service fire',
			'20 alarm free_access off',
			'30 deny lane_closed out_of_service',
			'40 hold release',
			'40 show idle',
		],
	],
]);

table('an emergency', [
	[
		'forgets who waited, and counts a late passage as one of the emergency',
		{
			only: ['pulse', 'settle', 'deny', 'record passages'],
			when: ['0 scan adult:1', '5900 scan adult:2', '6100 emergency_open', '6500 pass entry', '9000 emergency_reset'],
		},
		[
			'0 pulse entry',
			'6000 settle not_taken 0 back counted',
			'6000 pulse entry',
			'6100 settle not_taken 0 back',
			'9000 record passages emergency entry 1',
		],
	],
	[
		'drops the queue without refusing it',
		{ only: ['deny', 'pulse'], when: ['0 scan adult:1', '100 scan adult:2', '200 emergency_open'] },
		['0 pulse entry'],
	],
	[
		'ordered by a person opens before anything is written, also where the fire alarm cannot be read',
		{
			config: fireWired,
			only: acts,
			when: ['0 emergency_open', '1000 emergency_reset', '2000 fire clear', '3000 emergency_reset'],
		},
		[
			'0 hold open',
			'0 record lane entry emergency by li',
			'0 alarm emergency_open on',
			'0 record alarm',
			'3000 hold release',
			'3000 alarm emergency_open off',
			'3000 record alarm',
			'3000 record lane entry by li',
		],
	],
	[
		'settles a grant that comes while it lasts as not taken',
		{ only: acts, when: ['0 agent redeem silent', '0 scan adult:1', '100 emergency_open', '200 granted 1'] },
		[
			'100 hold open',
			'100 record lane entry emergency by li',
			'100 alarm emergency_open on',
			'100 record alarm',
			'200 settle not_taken 0 back',
		],
	],
	[
		'goes on after a restart: nothing is touched until the reset',
		{
			memory: { mode: 'entry', emergency: true },
			only: [...acts, 'show'],
			when: ['0 scan adult:1', '1000 missing relay', '2000 missing', '3000 emergency_reset'],
		},
		[
			'0 show emergency',
			'0 deny lane_closed emergency',
			'3000 hold release',
			'3000 record lane entry by li',
			'3000 show idle',
		],
	],
	[
		'that is reset while the relay is away releases once more when the board is back, so that no release is lost',
		{ only: ['hold'], when: ['0 emergency_open', '1000 missing relay', '2000 emergency_reset', '3000 relay opened'] },
		['0 hold open', '2000 hold release', '3000 hold release'],
	],
	[
		'that is reset does not wait for a scanner to release',
		{ only: ['hold'], when: ['0 emergency_open', '1000 missing scanner', '2000 emergency_reset'] },
		['0 hold open', '2000 hold release'],
	],
	[
		'holds open again when its relay board comes back',
		{ only: ['hold'], when: ['0 emergency_open', '1000 missing relay', '2000 relay opened'] },
		['0 hold open', '2000 hold open'],
	],
	[
		'over: a relay board that is opened is told to release before anything else',
		{ only: ['hold', 'pulse'], when: ['0 relay opened', '100 scan good'] },
		['0 hold release', '100 pulse entry'],
	],
	[
		'unknown: a relay board that is opened is left alone until the fire alarm is read',
		{ config: { fireInput: true }, only: ['hold'], when: ['0 relay opened', '500 fire clear'] },
		['500 hold release'],
	],
]);
