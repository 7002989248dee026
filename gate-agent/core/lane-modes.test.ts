import { table } from './lane-story.suite.ts';

const acts = ['pulse', 'hold', 'settle', 'deny', 'alarm', 'record '];
const money = ['pulse', 'settle'];

table('a mode', [
	[
		'both lets one leave at once with the code that has just entered, without asking staff',
		{
			config: { mode: 'both', passageSensor: false },
			only: ['pulse', 'show wait'],
			when: ['0 scan senior:1', '100 button', '600 scan senior:1 exit'],
		},
		['0 show wait_staff check_id', '100 pulse entry', '600 pulse exit'],
	],
	[
		'entry refuses the exit side and alarms at a passage backwards',
		{ only: acts, when: ['0 scan adult:1 exit', '100 pass exit'] },
		['0 deny lane_closed entry', '100 alarm forced_open on', '100 record alarm'],
	],
	[
		'exit records the exit, opens outwards and has nothing to settle',
		{ config: { mode: 'exit' }, only: acts, when: ['0 scan adult:1 exit', '1000 pass exit', '2000 scan adult:2'] },
		['0 pulse exit', '2000 deny lane_closed exit'],
	],
	[
		'both opens either way, one visitor at a time',
		{
			config: { mode: 'both' },
			only: money,
			when: ['0 scan adult:1', '500 scan adult:2 exit', '1000 pass entry', '2000 pass exit'],
		},
		['0 pulse entry', '1000 settle taken 1', '1000 pulse exit'],
	],
	[
		'free holds the gate open, counts, and needs no tickets',
		{
			only: [...acts, 'show'],
			when: [
				'0 mode free',
				'1000 scan adult:1',
				'2000 pass entry',
				'3000 pass entry',
				'4000 pass exit',
				'15000 mode entry',
			],
		},
		[
			'0 show idle',
			'0 record lane free by li',
			'0 alarm free_access on',
			'0 record alarm',
			'0 hold open',
			'0 show free',
			'12000 record passages free entry 2',
			'12000 record passages free exit 1',
			'15000 hold release',
			'15000 record lane entry by li',
			'15000 alarm free_access off',
			'15000 record alarm',
			'15000 show idle',
		],
	],
	[
		'locked refuses all',
		{ config: { mode: 'locked' }, when: ['0 scan adult:1', '100 admit 1', '5000 wait'] },
		[
			'0 show closed',
			'0 deny lane_closed locked',
			'0 show refused lane_closed locked',
			'100 show refused lane_closed locked',
			'3100 show closed',
		],
	],
	[
		'drop_arm refuses scans and counts passages without an alarm',
		{ config: { mode: 'drop_arm' }, only: acts, when: ['0 scan adult:1', '100 pass entry', '20000 wait'] },
		['0 deny lane_closed drop_arm', '10100 record passages drop_arm entry 1'],
	],
	[
		'that changes during a passage holds for the next visitor',
		{ only: acts, when: ['0 scan adult:1', '500 mode locked', '1000 pass entry', '1500 scan adult:2'] },
		['0 pulse entry', '500 record lane locked by li', '1000 settle taken 1', '1500 deny lane_closed locked'],
	],
	[
		'that changes while the ledger commits gives the grant back',
		{ only: acts, when: ['0 agent redeem silent', '0 scan adult:1', '500 mode locked', '600 granted 1'] },
		['500 record lane locked by li', '600 settle not_taken 0 back'],
	],
	[
		'that closes in a group’s run ends it after the visitor under way',
		{ only: money, when: ['0 scan group:1', '500 mode locked', '1000 pass entry'] },
		['0 pulse entry', '1000 settle taken 1 back'],
	],
	[
		'is remembered over a restart, with its hold',
		{ memory: { mode: 'free', emergency: false }, when: ['0 wait'] },
		['0 alarm free_access on', '0 hold open', '0 show free'],
	],
]);

table('an alarm', [
	[
		'does not mind a crowd in a free lane',
		{ config: { mode: 'free' }, only: ['alarm'], when: ['0 enter entry', '60000 leave entry'] },
		['0 alarm free_access on'],
	],
	[
		'for a passage without a grant ends by itself, or by the staff button',
		{
			only: ['alarm', 'record passages'],
			when: ['0 pass entry', '5000 pass entry', '20000 pass entry', '21000 button', '40000 wait'],
		},
		[
			'0 alarm forced_open on',
			'10000 record passages forced entry 2',
			'15000 alarm forced_open off',
			'20000 alarm forced_open on',
			'21000 alarm forced_open off',
			'30000 record passages forced entry 1',
		],
	],
	[
		'tells of one who follows a visitor through',
		{ only: ['alarm'], when: ['0 scan adult:1', '1000 pass entry', '1500 pass entry'] },
		['1500 alarm forced_open on'],
	],
	[
		'tells of a gate that stays open too long, until it closes',
		{ only: ['alarm'], when: ['0 scan adult:1', '1000 enter entry', '30000 leave entry'] },
		['16000 alarm open_too_long on', '30000 alarm open_too_long off'],
	],
	[
		'tells of tampering',
		{ only: ['alarm'], when: ['0 tamper on', '1 tamper on', '5000 tamper off'] },
		['0 alarm tamper on', '5000 alarm tamper off'],
	],
]);

table('missing devices', [
	[
		'put the lane out of service until they are back',
		{ when: ['0 missing scanner relay', '100 scan adult:1', '200 missing', '3000 scan adult:1'] },
		[
			'0 show idle',
			'0 show out_of_service scanner relay',
			'100 deny lane_closed out_of_service',
			'200 show idle',
			'3000 pulse entry',
			'3000 show granted adult',
		],
	],
	[
		'during a passage make it assumed at its end, because the sensor may have been among them',
		{ only: money, when: ['0 scan adult:1', '1000 missing inputs', '2000 missing', '7000 wait'] },
		['0 pulse entry', '6000 settle taken_assumed 1'],
	],
]);
