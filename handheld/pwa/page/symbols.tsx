import type { SymbolName } from '../../../gate-agent/core/refusal-texts.ts';
import type { Tone } from '../../../gate-agent/core/texts.ts';

/** A symbol in the shape of its tone: a circle means go, an octagon stop, a square wait. */
export function Mark({ symbol, tone }: { readonly symbol: SymbolName; readonly tone: Tone }) {
	return (
		<svg class="mark" data-tone={tone} viewBox="0 0 100 100" aria-hidden="true">
			<use href={`#mark-${symbol}`} />
		</svg>
	);
}

/** The drawings of all symbols, the same as on the displays of the lanes. */
export function SymbolSprite() {
	return (
		<svg class="sprite" aria-hidden="true">
			<symbol id="mark-check" viewBox="0 0 100 100">
				<path d="M18 53 41 76 83 27" />
			</symbol>
			<symbol id="mark-arrow" viewBox="0 0 100 100">
				<path d="M50 86V18M21 46 50 17l29 29" />
			</symbol>
			<symbol id="mark-cross" viewBox="0 0 100 100">
				<path d="M24 24 76 76M76 24 24 76" />
			</symbol>
			<symbol id="mark-code" viewBox="0 0 100 100">
				<path class="thin" d="M16 36V16h20M64 16h20v20M84 64v20H64M36 84H16V64" />
				<path d="M37 37 63 63M63 37 37 63" />
			</symbol>
			<symbol id="mark-used" viewBox="0 0 100 100">
				<path class="thin" d="M12 28h76v14a9 9 0 0 0 0 17v14H12V59a9 9 0 0 0 0-17Z" />
				<path class="thin" d="M38 41 62 60M62 41 38 60" />
			</symbol>
			<symbol id="mark-clock" viewBox="0 0 100 100">
				<circle class="thin" cx="50" cy="50" r="35" />
				<path class="thin" d="M50 28v24l15 12" />
			</symbol>
			<symbol id="mark-place" viewBox="0 0 100 100">
				<path class="thin" d="M50 88C30 63 22 52 22 40a28 28 0 0 1 56 0c0 12-8 23-28 48Z" />
				<circle class="thin" cx="50" cy="40" r="9" />
			</symbol>
			<symbol id="mark-staff" viewBox="0 0 100 100">
				<circle class="thin" cx="50" cy="31" r="16" />
				<path class="thin" d="M17 86c0-20 13-31 33-31s33 11 33 31" />
				<path class="thin" d="m42 57 8 13 8-13" />
			</symbol>
			<symbol id="mark-hourglass" viewBox="0 0 100 100">
				<path
					class="thin"
					d="M26 13h48M26 87h48M32 13c0 24 18 25 18 37S32 63 32 87M68 13c0 24-18 25-18 37s18 13 18 37"
				/>
			</symbol>
			<symbol id="mark-barrier" viewBox="0 0 100 100">
				<circle class="thin" cx="50" cy="50" r="37" />
				<path d="M29 50h42" />
			</symbol>
			<symbol id="mark-wrench" viewBox="0 0 100 100">
				<path
					class="thin"
					d="M84 26a22 22 0 0 1-29 27L28 82a9 9 0 0 1-13-13l29-27a22 22 0 0 1 27-29L57 27l3 13 13 3Z"
				/>
			</symbol>
			<symbol id="mark-exit" viewBox="0 0 100 100">
				<path class="thin" d="M12 12h34v76H12Z" />
				<circle class="full" cx="69" cy="22" r="8" />
				<path class="thin" d="m35 50 20-12 12 6 6 12h14M61 43 53 64l13 9v17M53 64 43 77H30" />
			</symbol>
			<symbol id="mark-scan" viewBox="0 0 100 100">
				<path class="thin" d="M14 34V14h20M66 14h20v20M86 66v20H66M34 86H14V66" />
				<path class="full" d="M31 31h14v14H31ZM55 31h14v14H55ZM31 55h14v14H31ZM55 55h6v6h-6ZM63 63h6v6h-6Z" />
			</symbol>
		</svg>
	);
}
