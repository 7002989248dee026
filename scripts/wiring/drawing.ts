import { type Plan, type PlannedBox, type PlannedWire, type Point, sizes } from './plan.ts';
import { junctionsOf } from './plan-faults.ts';
import { textWidth } from './text-width.ts';
import type { Language, WireKind } from './wiring.ts';

/** What a wire of each kind is, for the legend. */
const kindNames: Readonly<Record<WireKind, Readonly<Record<Language, string>>>> = {
	power: { en: 'supply', 'zh-CN': '电源' },
	ground: { en: 'ground, common', 'zh-CN': '地线、公共端' },
	contact: { en: 'contact, control', 'zh-CN': '触点、控制' },
	data: { en: 'data', 'zh-CN': '数据' },
	network: { en: 'network', 'zh-CN': '网络' },
	radio: { en: 'radio', 'zh-CN': '无线' },
	fire: { en: 'fire alarm', 'zh-CN': '消防' },
};

/** Colors by theme. A kind is told by its stroke, too, so that color is never the only sign. */
const colors = {
	light: {
		...{ background: '#ffffff', ink: '#16202b', quiet: '#4a5866', box: '#f2f5f8', part: '#fff8e1', alarm: '#fff0e8' },
		...{
			power: '#c62828',
			ground: '#263238',
			contact: '#1558b0',
			data: '#00695c',
			network: '#6a1b9a',
			radio: '#00695c',
		},
		fire: '#d84300',
	},
	dark: {
		...{ background: '#11161c', ink: '#e8eef4', quiet: '#a9b6c3', box: '#1d2630', part: '#332c14', alarm: '#3a2015' },
		...{
			power: '#ff8a80',
			ground: '#cfd8dc',
			contact: '#82b1ff',
			data: '#4dd0b5',
			network: '#d9a2f0',
			radio: '#4dd0b5',
		},
		fire: '#ff9e66',
	},
} as const;

const strokes: Readonly<Record<WireKind, string>> = {
	power: 'stroke-width:2.5',
	ground: 'stroke-width:2;stroke-dasharray:9 4',
	contact: 'stroke-width:2',
	data: 'stroke-width:2;stroke-dasharray:2 3',
	network: 'stroke-width:3;stroke-dasharray:12 3 2 3',
	radio: 'stroke-width:2;stroke-dasharray:1 6;stroke-linecap:round',
	fire: 'stroke-width:4',
};

/** Draws a plan as SVG that is legible on light and dark pages, with title and description for screen readers. */
export function drawSvg(plan: Plan): string {
	const { width, height, language, title, description } = plan;
	return `${[
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title desc" xml:lang="${language}">`,
		`<title id="title">${escaped(title)}</title>`,
		`<desc id="desc">${escaped(description)}</desc>`,
		`<style>${style()}</style>`,
		`<rect class="paper" width="${width}" height="${height}" rx="10"/>`,
		textAt(title, { className: 'title', at: { x: sizes.margin, y: sizes.margin + 10 } }),
		...plan.boxes.map(drawBox),
		...plan.wires.map(drawWire),
		...junctionsOf(plan).map(({ x, y }) => `<circle class="joint" cx="${x}" cy="${y}" r="4"/>`),
		...plan.boxes.flatMap(({ terminals }) =>
			terminals.map(({ x, y }) => `<circle class="pin" cx="${x}" cy="${y}" r="4"/>`),
		),
		...plan.wires.flatMap(({ label }) => (label ? [textAt(label.text, { className: 'label', at: label })] : [])),
		...drawLegend(plan),
		...plan.notes.map((note) => textAt(note.text, { className: 'note', at: note })),
		'</svg>',
	].join('\n')}\n`;
}

function style(): string {
	const rules = (theme: keyof typeof colors) => {
		const color = colors[theme];
		return [
			`.paper{fill:${color.background}}text{fill:${color.ink}}.detail,.note,.legend{fill:${color.quiet}}`,
			`.label{stroke:${color.background}}.device{fill:${color.box};stroke:${color.quiet}}`,
			`.part{fill:${color.part};stroke:${color.quiet}}.alarm{fill:${color.alarm};stroke:${color.fire}}`,
			`.pin{fill:${color.background};stroke:${color.ink}}.joint{fill:${color.ink}}`,
			...(Object.keys(strokes) as WireKind[]).map((kind) => `.${kind}{stroke:${color[kind]}}`),
		].join('');
	};
	const fixed = [
		`text{font-family:system-ui,'Noto Sans','Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif}`,
		`.title{font-size:${sizes.title}px;font-weight:600}.name{font-size:${sizes.name}px;font-weight:600}`,
		`.detail{font-size:${sizes.detail}px}.terminal{font-size:${sizes.terminal}px}.note,.legend{font-size:${sizes.note}px}`,
		`.label{font-size:${sizes.label}px;paint-order:stroke;stroke-width:4px;stroke-linejoin:round}`,
		'.device,.part,.alarm{stroke-width:1.5}.pin{stroke-width:1.5}path{fill:none;stroke-linejoin:round}',
		...Object.entries(strokes).map(([kind, stroke]) => `.${kind}{${stroke}}`),
	].join('');
	return `${fixed}${rules('light')}@media (prefers-color-scheme:dark){${rules('dark')}}`;
}

/** Where a text stands, and as what. */
interface Placed {
	readonly className: 'title' | 'name' | 'detail' | 'terminal' | 'label' | 'legend' | 'note';
	readonly at: Point;
	readonly anchor?: 'start' | 'middle' | 'end';
}

function drawBox({ x, y, width, height, kind, name, detail, terminals }: PlannedBox): string {
	const shape = kind === 'fire' ? 'alarm' : kind;
	const middle = x + width / 2;
	return [
		`<rect class="${shape}" x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/>`,
		textAt(name, { className: 'name', at: { x: middle, y: y + 20 }, anchor: 'middle' }),
		...detail.map((line, index) =>
			textAt(line, { className: 'detail', at: { x: middle, y: y + 37 + index * 15 }, anchor: 'middle' }),
		),
		...terminals.map((terminal) => {
			const inward = terminal.side === 'left' ? 11 : -11;
			const anchor = terminal.side === 'left' ? 'start' : 'end';
			return textAt(terminal.name, {
				className: 'terminal',
				at: { x: terminal.x + inward, y: terminal.y + 4.5 },
				anchor,
			});
		}),
	].join('\n');
}

function drawWire({ kind, corners, from, to }: PlannedWire): string {
	const path = corners.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join('');
	return `<path class="${kind}" d="${path}" data-from="${from}" data-to="${to}"/>`;
}

function drawLegend({ kinds, language, legendY }: Plan): readonly string[] {
	let x: number = sizes.margin;
	return kinds.map((kind) => {
		const name = kindNames[kind][language];
		const at = x;
		x += 46 + textWidth(name, sizes.note) + 22;
		return `<path class="${kind}" d="M${at} ${legendY}L${at + 36} ${legendY}"/>${textAt(name, { className: 'legend', at: { x: at + 44, y: legendY + 4.5 } })}`;
	});
}

function textAt(text: string, { className, at, anchor = 'start' }: Placed): string {
	const anchored = anchor === 'start' ? '' : ` text-anchor="${anchor}"`;
	return `<text class="${className}" x="${round(at.x)}" y="${round(at.y)}"${anchored}>${escaped(text)}</text>`;
}

function round(value: number): number {
	return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
