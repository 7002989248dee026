import { expect, test } from 'vitest';
import { causeOf } from './case-cause.ts';

const rungs = (...list: readonly string[]) => list.map((rung) => ({ rung }));

test.each([
	['double_entry', rungs('local', 'local'), 'out_of_reach'],
	['double_entry', rungs('local', 'authority'), 'out_of_reach'],
	['double_entry', rungs('authority', 'local'), 'out_of_reach'],
	['double_entry', rungs('home', 'authority'), 'out_of_reach'],
	['double_entry', rungs('authority', 'authority'), 'claim_released'],
	['double_entry', rungs('authority', 'staff'), 'staff_override'],
	['double_entry', rungs('local', 'staff', 'local'), 'staff_override'],
	['double_entry', rungs('staff', 'local'), 'out_of_reach'],
	['refunded_after_entry', rungs('local'), 'not_told'],
	['refunded_after_entry', rungs('staff'), 'staff_override'],
	['cloned_device', [], 'key_copied'],
	['restored_disk', [], 'disk_restored'],
] as const)('a case of %s with %j is most likely %s', (kind, redemptions, cause) => {
	expect(causeOf({ kind, redemptions })).toBe(cause);
});
