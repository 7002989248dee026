import { stripTypeScriptTypes } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';

// Runs in a thread of its own, started by `strip-types.ts`: `workerData` is a list of TypeScript sources.
parentPort?.postMessage((workerData as readonly string[]).map((source) => stripTypeScriptTypes(source)));
