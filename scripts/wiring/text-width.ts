/** Widths of a character in parts of the font's size, generously: a text must never leave its box, whatever the font. */
const widths = { wide: 1, upper: 0.7, other: 0.57, narrow: 0.34 } as const;

/** How wide a text is at most, in the unit of `size`. */
export function textWidth(text: string, size: number): number {
	let ems = 0;
	for (const character of text) ems += widths[kindOf(character)];
	return ems * size;
}

function kindOf(character: string): keyof typeof widths {
	if (/[\u2e80-\u9fff\u3000-\u303f\uff00-\uffef]/.test(character)) return 'wide';
	if (/[A-ZMW@%Ω→·–]/.test(character)) return 'upper';
	return /[ilj.,:;'’|()[\] ]/.test(character) ? 'narrow' : 'other';
}

/** Cuts a text into lines that are no wider than `width`: between words, and between Chinese characters. */
export function wrapText(text: string, size: number, width: number): readonly string[] {
	const lines: string[] = [];
	let line = '';
	for (const piece of text.match(
		/[\u2e80-\u9fff\uff00-\uffef][，。；：、）]?|[^\s\u2e80-\u9fff\uff00-\uffef]+\s*|\s+/g,
	) ?? []) {
		if (line !== '' && textWidth(line + piece.trimEnd(), size) > width) {
			lines.push(line.trimEnd());
			line = '';
		}
		line += piece;
	}
	return line === '' ? lines : [...lines, line.trimEnd()];
}
