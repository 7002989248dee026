import { browserDeps } from '../browser-deps.ts';
import { createHandheld } from '../create-handheld.ts';

const handheld = await createHandheld(browserDeps({ packageVersion: '0.0.0', log: () => undefined }));
Object.assign(window, { tab: { handheld } });
