import { once } from 'node:events';
import { createHistogram, type Histogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { CrowdMessage, CrowdPlan, Spread } from './crowd.ts';
import { type LoadDevice, openLoadDevice } from './load-device.ts';

/** Devices that join at once: more would wait for each other. */
const joinAtOnce = 10;

/** How often it is looked whether timers come in time. */
const resolutionMs = 10;

const nsPerMs = 1_000_000;

/** A program with many devices in it: it joins them, lets people come, and tells what came of it. */
async function main({ kind, members }: CrowdPlan): Promise<void> {
	const errors: string[] = [];
	const feedNs = createHistogram();
	const around = {
		onError: (error: string) => void errors.push(error),
		// A histogram takes whole numbers from 1 on.
		onHeard: (ageMs: number) => feedNs.record(Math.max(1, Math.round(ageMs * nsPerMs))),
	};
	const devices: LoadDevice[] = [];
	for (let at = 0; at < members.length; at += joinAtOnce) {
		const some = members.slice(at, at + joinAtOnce);
		devices.push(...(await Promise.all(some.map((member) => openLoadDevice({ kind, member, ...around })))));
	}
	tell('ready');
	await heard('begin');
	const delayNs = monitorEventLoopDelay({ resolution: resolutionMs });
	delayNs.enable();
	const beginMs = performance.now();
	const visits = (await Promise.all(devices.map((device) => device.show(beginMs)))).flat();
	delayNs.disable();
	tell('shown');
	await heard('finish');
	const journals = await Promise.all(devices.map((device) => device.drain()));
	await Promise.all(devices.map((device) => device.close()));
	// The parent ends this process.
	tell({ kind, visits, journals, errors, feed: spreadOf(feedNs, 0), late: spreadOf(delayNs, resolutionMs) });
}

/** `floorMs`: what each sample contains besides. */
function spreadOf(ns: Histogram, floorMs: number): Spread {
	if (ns.count === 0) return { count: 0, p50: 0, p99: 0, max: 0 };
	const ms = (value: number) => Math.max(0, value / nsPerMs - floorMs);
	return { count: ns.count, p50: ms(ns.percentile(50)), p99: ms(ns.percentile(99)), max: ms(ns.max) };
}

function tell(message: CrowdMessage): void {
	process.send?.(message);
}

async function heard(word: 'begin' | 'finish'): Promise<void> {
	const [message] = await once(process, 'message');
	if (message !== word) throw new Error(`assertion failed: ${word} comes next`);
}

// The parent sends the plan first, and nobody wants these devices without it.
process.once('message', (plan: CrowdPlan) => void main(plan));
process.once('disconnect', () => process.exit(1));
