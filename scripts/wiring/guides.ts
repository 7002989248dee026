import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { drawSvg } from './drawing.ts';
import { planDrawing } from './plan.ts';
import { type Language, languages, readWiring, type Wiring } from './wiring.ts';

/** The folder of the guides. */
export const guidesFolder = new URL('../../device-configs/guides/', import.meta.url);

/** A guide: its name, and the diagram that it is about. */
export interface Guide {
	readonly name: string;
	readonly wiring: Wiring;
}

/** Reads the diagrams of all guides. Throws what `readWiring` throws. */
export function readGuides(): readonly Guide[] {
	const files = readdirSync(guidesFolder).filter((file) => file.endsWith('.yaml'));
	return files.toSorted().map((file) => ({
		name: file.slice(0, -'.yaml'.length),
		wiring: readWiring(file, readFileSync(new URL(file, guidesFolder), 'utf8')),
	}));
}

/** The name of a guide's file in a language; English has no suffix. */
export function guideFile(name: string, language: Language, extension: 'md' | 'svg'): string {
	return `${name}${language === 'en' ? '' : `.${language}`}.${extension}`;
}

/** The drawing of a guide in a language, as its file must be. */
export function drawGuide({ wiring }: Guide, language: Language): string {
	return drawSvg(planDrawing(wiring, language));
}

/** Draws the diagrams of all guides into their files. */
export function writeDrawings(): void {
	for (const guide of readGuides()) {
		for (const language of languages) {
			writeFileSync(new URL(guideFile(guide.name, language, 'svg'), guidesFolder), drawGuide(guide, language));
		}
	}
}
