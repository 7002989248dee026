import type { GateConfig } from '../gate-configs.ts';
import type { ServerParts } from '../server-parts.ts';
import type { AddOfficeRoute } from './office-routes.ts';
import * as schemas from './office-schemas.ts';
import { assertPushable } from './pushed-config.ts';
import { Refusal } from './refusal.ts';

/** Adds the calls for the configurations of gates: push, show, list, go back. */
export function addGateConfigRoutes(add: AddOfficeRoute, parts: ServerParts): void {
	addPushes(add, parts);
	addReads(add, parts);
}

function addPushes(add: AddOfficeRoute, { store, venue }: ServerParts): void {
	add({
		method: 'POST',
		path: '/configs/:gate',
		summary: 'Pushes a configuration to a gate: it tries it when nobody is on the way through.',
		act: 'config.push',
		body: schemas.pushConfigSchema,
		params: schemas.params.gate,
		subject: ({ note = '' }, { gate }) => `${gate} ${note}`.trim(),
		handle: async ({ body: { text, note = '' }, params: { gate }, operator, atMs }) => {
			assertPushable(gate, text);
			return store.putGateConfig({ venue, gate, text, note, by: operator.name, atMs });
		},
	});
	add({
		method: 'POST',
		path: '/configs/:gate/rollback',
		summary: 'Pushes the text of an older version again, as a new version.',
		act: 'config.rollback',
		body: schemas.rollbackConfigSchema,
		params: schemas.params.gate,
		subject: ({ version, note = '' }, { gate }) => `${gate} ${version} ${note}`.trim(),
		handle: async ({ body: { version, note = '' }, params: { gate }, operator, atMs }) => {
			const { text } = needConfig(await store.gateConfig(venue, gate, version), gate, version);
			return store.putGateConfig({ venue, gate, text, note, by: operator.name, copyOf: version, atMs });
		},
	});
}

function addReads(add: AddOfficeRoute, { store, venue }: ServerParts): void {
	add({
		method: 'GET',
		path: '/configs',
		summary: 'The newest configuration of each gate, without its text.',
		handle: async () => ({ configs: await store.newestGateConfigs(venue) }),
	});
	add({
		method: 'GET',
		path: '/configs/:gate',
		summary: 'All versions of a gate’s configuration, without their texts, the newest first.',
		params: schemas.params.gate,
		handle: async ({ params: { gate } }) => ({ configs: await store.gateConfigHistory(venue, gate) }),
	});
	add({
		method: 'GET',
		path: '/configs/:gate/:version',
		summary: 'A version of a gate’s configuration with its text.',
		params: schemas.params.gateVersion,
		handle: async ({ params: { gate, version } }) =>
			needConfig(await store.gateConfig(venue, gate, version), gate, version),
	});
}

function needConfig(found: GateConfig | undefined, gate: string, version: number): GateConfig {
	if (!found) throw new Refusal('not_found', { detail: `there is no version ${version} for ${gate}` });
	return found;
}
