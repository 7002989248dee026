import { expect, test } from 'vitest';
import { createRedemptionIds } from './redemption-ids.ts';

test('redemption ids are 128 bits in base64url and none comes twice, whichever draw it is from', () => {
	const next = createRedemptionIds();
	const other = createRedemptionIds();
	const ids = Array.from({ length: 1_000 }, (_, i) => (i % 2 ? next() : other()));
	expect(new Set(ids).size).toBe(ids.length);
	for (const id of ids) expect(Buffer.from(id, 'base64url')).toHaveLength(16);
	for (const id of ids) expect(id).toMatch(/^[\w-]{21}[AQgw]$/);
});
