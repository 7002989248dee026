import { parentPort } from 'node:worker_threads';
import { assert } from '../../gate-agent/core/errors.ts';
import { buildHandheld } from '../handheld-build.ts';

// The thread that builds the handheld's page, started by `practice-handheld-build.ts`. The lanes go on meanwhile.

assert(parentPort, 'this program runs as a thread');
await buildHandheld(() => {});
