import type { App } from './app.ts';
import { Refusal } from './refusal.ts';

/** Refuses what only the centre does, and says where it is. */
export function addHubRefusals(app: App, centre: string): void {
	const schema = { hide: true };
	for (const path of ['/v1/office/*', '/v1/status/*', '/v1/hub/*']) {
		app.all(path, { schema }, async () => {
			throw new Refusal('wrong_server', { detail: `this is a hub; its centre is ${centre}` });
		});
	}
}
