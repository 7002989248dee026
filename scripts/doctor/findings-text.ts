import { type Evidence, type Finding, type Language, wordsOf } from '../../gate-agent/checks/finding.ts';
import { type Output, paint } from '../commands/output.ts';

const marks = { ok: ['✓', 'green'], warning: ['!', 'yellow'], fault: ['✗', 'red'], skipped: ['–', 'dim'] } as const;

/** Names of the checks as people read them. */
const checkNames: Readonly<Record<string, Readonly<Record<Language, string>>>> = {
	configuration: { zh: '配置', en: 'configuration' },
	service: { zh: '服务', en: 'service' },
	version: { zh: '版本', en: 'version' },
	permissions: { zh: '权限', en: 'permissions' },
	devices: { zh: '设备', en: 'devices' },
	ports: { zh: '端口', en: 'ports' },
	scanner: { zh: '扫码器', en: 'scanner' },
	relay: { zh: '继电器', en: 'relay' },
	inputs: { zh: '输入', en: 'inputs' },
	clock: { zh: '时钟', en: 'clock' },
	disk: { zh: '磁盘', en: 'disk' },
	memory: { zh: '内存', en: 'memory' },
	ledger: { zh: '账本', en: 'ledger' },
	keys: { zh: '密钥', en: 'keys' },
	server: { zh: '服务器', en: 'server' },
	venue: { zh: '场馆', en: 'venue' },
	doctor: { zh: '诊断', en: 'doctor' },
};

const summaries = {
	zh: (faults: number, warnings: number, good: number) => `${faults} 个故障，${warnings} 个警告，${good} 项正常`,
	en: (faults: number, warnings: number, good: number) =>
		`${counted(faults, 'fault')}, ${counted(warnings, 'warning')}, ${good} good`,
} as const;

function counted(count: number, name: string): string {
	return `${count} ${name}${count === 1 ? '' : 's'}`;
}

const labels = { zh: { evidence: '依据', fix: '处理' }, en: { evidence: 'seen', fix: 'fix' } } as const;

/** Columns of a check's name; Chinese characters take two each. */
const nameColumns = 14;

/** What was found, a line for each finding; below faults and warnings what was seen and the fix; a summary at the end. */
export function findingsText(findings: readonly Finding[], language: Language, out: Output): string {
	const count = (state: Finding['state']) => findings.filter((each) => each.state === state).length;
	const summary = summaries[language](count('fault'), count('warning'), count('ok'));
	return `${findings.map((finding) => findingText(finding, language, out)).join('')}\n${paint(out, 'bold', summary)}\n`;
}

function findingText(finding: Finding, language: Language, out: Output): string {
	const [mark, style] = marks[finding.state];
	const { what, fix } = wordsOf(finding, language);
	const name = checkNames[finding.check]?.[language] ?? finding.check;
	const head = `${paint(out, style, mark)} ${name}${' '.repeat(Math.max(1, nameColumns - columnsOf(name)))}${what}\n`;
	if (fix === undefined) return head;
	const { evidence, fix: toDo } = labels[language];
	const facts = factsOf({ ...finding.evidence });
	const seen = facts === '' ? '' : `    ${paint(out, 'dim', `${evidence}: ${facts}`)}\n`;
	return `${head}${seen}    ${toDo}: ${fix} ${paint(out, 'dim', `[${finding.code}]`)}\n`;
}

function factsOf(evidence: Evidence): string {
	// What stands in the words of the finding need not be shown again in full.
	return Object.entries(evidence)
		.map(([key, value]) => `${key}=${String(value).slice(0, 80)}`)
		.join(' ');
}

function columnsOf(text: string): number {
	return [...text].reduce((sum, character) => sum + (character.charCodeAt(0) > 0x2e80 ? 2 : 1), 0);
}
