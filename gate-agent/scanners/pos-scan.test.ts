import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PosModel, posModels } from '../emulators/hid-pos-models.ts';
import { type PosLayout, posLayoutOf } from './pos-layout.ts';
import { expirePos, feedPos, type PosState, posStart } from './pos-scan.ts';
import { parseReportDescriptor } from './report-descriptor.ts';
import { feedAll, textsOf } from './scan-language.suite.ts';

function layoutOf(model: PosModel): PosLayout {
	const layout = posLayoutOf(parseReportDescriptor(model.descriptor));
	if (layout === undefined) throw new Error(`${model.name} has a layout`);
	return layout;
}

function feedReports(layout: PosLayout, reports: readonly Uint8Array[], start: PosState = posStart) {
	return feedAll({ start, feed: (state, report: Uint8Array) => feedPos(layout, state, report) }, reports);
}

describe.each(Object.entries(posModels))('reports of %s', (_name, model: PosModel) => {
	const layout = layoutOf(model);

	it('become the codes that were read, whatever their length and spaces', () => {
		// NUL fills reports up, and no ticket has one.
		const code = fc.string({ unit: fc.constantFrom(...'AB09 $%*+-./:_a'), minLength: 1, maxLength: 400 });
		fc.assert(
			fc.property(fc.array(code, { maxLength: 5 }), (codes) => {
				const { state, items: frames } = feedReports(
					layout,
					codes.flatMap((each) => model.reportsOf(each)),
				);
				expect(textsOf(frames)).toEqual(codes);
				expect(state).toEqual(posStart);
			}),
		);
	});

	it('of a code that stops in the middle are dropped, and told', () => {
		const { state, items: frames } = feedReports(layout, model.reportsOf('X'.repeat(200)).slice(0, 2));
		expect(frames).toEqual([]);
		const [next, told] = expirePos(state);
		expect(told).toMatchObject([{ kind: 'torn' }]);
		expect(textsOf(feedReports(layout, model.reportsOf('GOOD'), next).items)).toEqual(['GOOD']);
	});

	it('that never end are told once and keep nothing', () => {
		const endless = model.reportsOf('X'.repeat(20_000)).slice(0, -1);
		const { state, items: frames } = feedReports(layout, endless);
		expect(textsOf(frames)).toEqual(['oversize']);
		expect(state.pending.length).toBeLessThanOrEqual(4_200);
	});

	it('of other ids, and ones that are cut off, say nothing', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
				feedPos(layout, posStart, bytes);
				expect(feedPos(layout, posStart, Uint8Array.of(9, ...bytes))[1]).toEqual([]);
			}),
		);
	});
});

it('only the scanner’s own suffix goes, once', () => {
	const { newland } = posModels;
	const layout = layoutOf(newland);
	for (const [sent, read] of [
		['CODE \r', 'CODE '],
		['CODE\r\n', 'CODE'],
		['CODE\r\r', 'CODE\r'],
		['  CODE  ', '  CODE  '],
	] as const) {
		expect(textsOf(feedReports(layout, newland.reportsOf(sent)).items)).toEqual([read]);
	}
});
