import { table } from './lane-story.suite.ts';

const acts = ['pulse', 'alarm', 'record alarm'];

table('the alarm `unverified_limit`', [
	[
		'begins with the admission that reaches the limit, once, and ends with the clock hour',
		{
			only: acts,
			when: [
				'0 scan adult:1',
				'1000 pass entry',
				'10000 scan crowd:2',
				'11000 pass entry',
				'10500 scan crowd:3',
				'12000 pass entry',
				'71000 wait',
			],
		},
		[
			'0 pulse entry',
			'10000 alarm unverified_limit on',
			'10000 record alarm',
			'10000 pulse entry',
			'11000 pulse entry',
			'71000 alarm unverified_limit off',
			'71000 record alarm',
		],
	],
]);
