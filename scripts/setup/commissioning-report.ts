import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Finding, type Language, plainFinding } from '../../gate-agent/checks/finding.ts';
import { findingsText } from '../doctor/findings-text.ts';
import { redactValue } from '../doctor/redact.ts';
import type { GatePlan } from './gate-plan.ts';
import type { Asked } from './interview.ts';

/** Everything of one commissioning. */
export interface Commissioning {
	readonly at: string;
	readonly version: string;
	readonly config: string;
	readonly data: string;
	readonly plan: GatePlan;
	readonly venue?: string;
	readonly service: string;
	/** Absent where no service was started: then nobody waited. */
	readonly ready?: boolean;
	readonly findings: readonly Finding[];
	readonly asked: readonly Asked[];
	readonly minutes: number;
}

const labels = {
	zh: {
		title: 'Stileward 闸机验收报告',
		...{
			gate: '闸机',
			at: '时间',
			version: '版本',
			venue: '场馆',
			config: '配置',
			scanner: '扫码器',
			relay: '继电器',
			inputs: '触点',
		},
		...{
			scan: '测试扫码',
			pulse: '继电器测试',
			opened: '闸机打开',
			service: '服务',
			ready: '通道就绪',
			checks: '检查结果',
			asked: '问答',
		},
		...{
			count: '输入',
			yes: '是',
			no: '否',
			none: '–',
			sign: '签字',
			person: '安装人员',
			manager: '场馆负责人',
			date: '日期',
		},
	},
	en: {
		title: 'Stileward commissioning report',
		...{
			gate: 'gate',
			at: 'time',
			version: 'version',
			venue: 'venue',
			config: 'configuration',
			scanner: 'scanner',
			relay: 'relay',
			inputs: 'contacts',
		},
		...{
			scan: 'test scan',
			pulse: 'relay test',
			opened: 'gate opened',
			service: 'service',
			ready: 'lane ready',
			checks: 'checks',
			asked: 'questions',
		},
		...{
			count: 'inputs',
			yes: 'yes',
			no: 'no',
			none: '–',
			sign: 'signed off',
			person: 'technician',
			manager: 'for the venue',
			date: 'date',
		},
	},
} as const;

const plainOutput = { isTerminal: false, color: false, columns: undefined, write: async () => {} };

/** The report as data: `signedOff` is for whoever keeps it. */
export function reportData(commissioning: Commissioning) {
	const { plan, findings, asked, ...rest } = commissioning;
	const { tried, scanner, relay, inputs, joining, agent, mode } = plan;
	const count = (by: Asked['by']) => asked.filter((each) => each.by === by).length;
	return {
		...rest,
		...{ gate: agent, mode, joining: joining.kind, tried },
		devices: {
			scanner: { ...scanner.settings, proof: scanner.model?.proof ?? 'unknown' },
			relay: { ...relay.settings, proof: relay.model?.proof ?? 'unknown' },
			...(inputs && { inputs }),
		},
		healthy: findings.every(({ state }) => state !== 'fault'),
		findings: findings.map(plainFinding),
		inputs: { typed: count('typed'), acted: count('acted') },
		asked: asked.map(({ question, answer, by }) => ({ question, answer, by })),
		signedOff: null,
	};
}

/** The report as people read and sign it. */
export function reportText(commissioning: Commissioning, language: Language): string {
	const words = labels[language];
	const { plan, findings, asked } = commissioning;
	const { tried } = plan;
	const yesNo = (value: boolean | undefined) => (value === undefined ? words.none : value ? words.yes : words.no);
	const pulse =
		tried.pulse &&
		`channel ${tried.pulse.channel}, ${tried.pulse.pulseMs} ms, ${tried.pulse.ended}, ${yesNo(tried.pulse.confirmed)}`;
	const rows: readonly (readonly [string, string])[] = [
		[words.gate, plan.agent],
		[words.at, commissioning.at],
		[words.version, commissioning.version],
		[words.venue, commissioning.venue ?? words.none],
		[words.config, commissioning.config],
		[words.scanner, JSON.stringify(plan.scanner.settings)],
		[words.scan, tried.scan ?? words.none],
		[words.relay, JSON.stringify(plan.relay.settings)],
		[words.pulse, pulse ?? words.none],
		[words.opened, yesNo(tried.opened)],
		[words.inputs, JSON.stringify(plan.inputs ?? {})],
		[words.service, commissioning.service],
		[words.ready, yesNo(commissioning.ready)],
	];
	const answers = asked.map(({ question, answer }) => `  ${question} ${answer}`);
	return [
		...[words.title, '='.repeat(40), ''],
		...rows.map(([name, value]) => `${name}: ${value}`),
		...['', `${words.checks}:`, findingsText(findings, language, plainOutput)],
		...[`${words.asked}:`, ...answers, '', `${words.sign}:`, ''],
		...[`${words.person}: ____________________   ${words.date}: ____________`, ''],
		...[`${words.manager}: ____________________   ${words.date}: ____________`, ''],
	].join('\n');
}

/** Writes both forms; gives the path of the text. A report holds no secret, and belongs to the gate's files. */
export async function writeReport(commissioning: Commissioning, language: Language): Promise<string> {
	const dir = join(commissioning.data, 'commissioning');
	await mkdir(dir, { recursive: true, mode: 0o750 });
	const name = join(dir, commissioning.at.replaceAll(/[:.]/g, '-'));
	// Answers hold what was typed, and that may have been a code.
	const safe = redactValue({
		...commissioning,
		plan: { ...commissioning.plan, joining: { kind: commissioning.plan.joining.kind } },
	}) as Commissioning;
	const files = [
		[`${name}.txt`, reportText(safe, language)],
		[`${name}.json`, `${JSON.stringify(reportData(safe), null, '\t')}\n`],
	] as const;
	for (const [file, text] of files) {
		await writeFile(file, text);
		await chmod(file, 0o640);
	}
	return `${name}.txt`;
}
