import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readmeWithTable } from './hardware-table.ts';

it('the table of models is the one that the files give', () => {
	const text = readFileSync(new URL('../device-configs/README.md', import.meta.url), 'utf8');
	expect(text).toBe(readmeWithTable(text));
	expect(text).toContain('| `waveshare-rtu` |');
});
