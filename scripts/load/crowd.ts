import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RefusalReason } from '../../gate-agent/core/refusal.ts';
import type { EnrolledGate } from '../../gate-agent/enrollment.ts';
import { cpuSecondsOf } from '../bench/process-cpu.ts';
import type { Kind } from './plan.ts';

/** A device and what people show to it. */
export interface Member {
	readonly name: string;
	readonly gate: EnrolledGate;
	readonly scans: readonly { readonly atMs: number; readonly idx: number; readonly text: string }[];
}

/** What a process of devices is given. */
export interface CrowdPlan {
	readonly kind: Kind;
	readonly members: readonly Member[];
}

/** What came of one ticket at one device. */
export interface Visit {
	readonly device: string;
	readonly name: string;
	readonly idx: number;
	/** From the code to the verdict, the grant being in the ledger. */
	readonly tookMs: number;
	readonly outcome:
		| { readonly kind: 'granted'; readonly redemption: string; readonly rung: string }
		| { readonly kind: 'refused'; readonly reason: RefusalReason };
	/** The claims that it took: none where the device knew already. */
	readonly claims: readonly { readonly tookMs: number; readonly kind: 'granted' | 'denied' | 'out_of_reach' }[];
}

/** How far a device came. */
export interface Journal {
	readonly device: string;
	readonly name: string;
	/** Rows of its journal. */
	readonly rows: number;
}

/** Milliseconds, of very many samples; all 0 where there is none. */
export interface Spread {
	readonly count: number;
	readonly p50: number;
	readonly p99: number;
	readonly max: number;
}

/** What came of a crowd. */
export interface CrowdResult {
	readonly kind: Kind;
	readonly visits: readonly Visit[];
	readonly journals: readonly Journal[];
	/** What any device logged as an error, and each loss of its server. */
	readonly errors: readonly string[];
	/** From the row of a passage at any device until another one has it in its ledger. */
	readonly feed: Spread;
	/** How late this process was for its own timers: its devices cannot be quicker than that. */
	readonly late: Spread;
}

/** What a crowd's process says to its parent. */
export type CrowdMessage = 'ready' | 'shown' | CrowdResult;

/** Many devices in a process of their own. */
export interface Crowd {
	readonly kind: Kind;
	/** Everybody shows their tickets, beginning now; resolves when the last one has its verdict. */
	run(): Promise<void>;
	/** Resolves once every row was sent, or could not be for long. */
	result(): Promise<CrowdResult>;
	cpuSeconds(): number;
	stop(): void;
}

/** Starts the devices and waits until all of them follow their server. */
export async function startCrowd(plan: CrowdPlan): Promise<Crowd> {
	const child = fork(fileURLToPath(new URL('./crowd-process.ts', import.meta.url)), { stdio: 'inherit' });
	const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the ${plan.kind}s ended: ${code}`)));
	// Whoever waits for a message hears of it.
	ended.catch(() => {});
	const next = () => {
		// The crowd's process says nothing else.
		const message = once(child, 'message').then(([message]) => message as CrowdMessage);
		return Promise.race([message, ended]);
	};
	const [ready] = [next(), child.send(plan)];
	await ready;
	return {
		kind: plan.kind,
		run: async () => {
			const shown = next();
			child.send('begin');
			await shown;
		},
		result: async () => {
			const result = next();
			child.send('finish');
			const message = await result;
			if (typeof message === 'string') throw new Error(`assertion failed: a crowd ended with ${message}`);
			return message;
		},
		cpuSeconds: () => cpuSecondsOf(child.pid),
		stop: () => void child.kill('SIGKILL'),
	};
}
