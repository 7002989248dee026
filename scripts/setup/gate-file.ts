import { stringify } from 'yaml';
import type { Language } from '../../gate-agent/checks/finding.ts';
import type { DeviceModel } from '../../gate-agent/device-models.ts';

/** A device of a gate's file. */
export interface GatePart {
	readonly settings: Readonly<Record<string, unknown>>;
	readonly model?: DeviceModel;
}

/** What a gate's file says. */
export interface GateFile {
	readonly agent: string;
	readonly data: string;
	/** Of a gate without a server. */
	readonly standalone?: { readonly keys: string; readonly event: string; readonly timeZone: string };
	readonly mode: 'entry' | 'exit';
	readonly scanner: GatePart;
	/** With `channel` and `pulseMs`. */
	readonly relay: GatePart;
	readonly inputs?: Readonly<Record<string, unknown>>;
	readonly feedback?: Readonly<Record<string, unknown>>;
	readonly date: string;
}

const comments = {
	zh: {
		head: '本文件由 stileward setup 于 {date} 生成。修改后请检查：stileward gate check-config --config 本文件',
		data: '账本目录：所在磁盘必须经得起断电',
		keys: '无服务器：密钥目录只放 manifest.jws 和 root.public.jwk',
		scanner: '扫码器',
		relay: '开闸继电器；channel 为通道号，pulseMs 为脉冲毫秒数',
		inputs: '触点：passage 通行，fire 消防（仅监测，开闸须靠硬接线）；常闭触点写 invert: true',
	},
	en: {
		head: 'Written by stileward setup on {date}. After a change: stileward gate check-config --config THIS-FILE',
		data: 'Folder of the ledger: on a disk that survives a power cut.',
		keys: 'Without a server: only manifest.jws and root.public.jwk belong into this folder.',
		scanner: 'The scanner:',
		relay: 'The relay that opens the gate; pulseMs is the length of a pulse in milliseconds.',
		inputs:
			'Contacts. Fire is only observed: the alarm must open the gate in wiring. invert: true is a closing contact.',
	},
} as const;

/** Writes a gate's file: only what matters, with a word on each part. */
export function gateFileText(gate: GateFile, language: Language): string {
	const words = comments[language];
	const { scanner, relay, inputs, feedback, standalone } = gate;
	const titled = (text: string, part: GatePart) => (part.model ? `${text} ${part.model.title}` : text);
	const lines = [
		`# ${words.head.replace('{date}', gate.date)}`,
		plain({ agent: gate.agent }),
		`# ${words.data}`,
		plain({ data: gate.data }),
		...(standalone
			? [
					plain({ event: standalone.event }),
					`# ${words.keys}`,
					plain({ keys: standalone.keys, venue: { timeZone: standalone.timeZone } }),
				]
			: []),
		'lanes:',
		`  - ${plain({ id: 'lane-1' })}`,
		`    ${plain({ mode: gate.mode })}`,
		`    # ${titled(words.scanner, scanner)}`,
		indented({ scanner: scanner.settings }),
		`    # ${titled(words.relay, relay)}`,
		indented({ relay: relay.settings }),
		...(inputs ? [`    # ${words.inputs}`, indented({ inputs })] : []),
		...(feedback ? [indented({ feedback })] : []),
	];
	return `${lines.join('\n')}\n`;
}

function plain(value: unknown): string {
	return stringify(value).trimEnd();
}

function indented(value: unknown): string {
	return plain(value)
		.split('\n')
		.map((line) => `    ${line}`)
		.join('\n');
}
