import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { GateConfig } from './config.ts';

/** Notices that something was plugged in, without asking a bus. */
export interface PlugWatch {
	/** Resolves when a node or a link has come or gone since the call, and udev has had time to be done with it. */
	readonly plugged: () => Promise<void>;
	close(): void;
}

/** udev gives a node its group and its links a moment after the kernel has made it. */
const settleMs = 250;

/** Where nodes of devices appear. */
const nodeFolders = ['/dev', '/dev/input'];

/** Folders that are watched; a gate has a few. */
const foldersMax = 32;

/** The folders in which the devices of a configuration appear: those of their paths and those of the kernel. */
export function foldersOf({ lanes }: GateConfig): readonly string[] {
	const paths = lanes.flatMap(({ scanner, exitScanner, relay, inputs }) =>
		[scanner, exitScanner, relay, inputs].flatMap((device) => {
			const path = device?.options.path;
			return typeof path === 'string' ? [dirname(path)] : [];
		}),
	);
	return [...new Set([...nodeFolders, ...paths])].slice(0, foldersMax);
}

/**
 * Watches folders. One that is not there (`/dev/serial/by-id` while nothing is plugged in) is not: the node itself appears in
 * `/dev`. Where nothing can be watched nothing is noticed, and devices are tried again by the clock alone.
 */
export function watchPlugs(folders: readonly string[]): PlugWatch {
	let next = Promise.withResolvers<void>();
	let timer: NodeJS.Timeout | undefined;
	const changed = () => {
		clearTimeout(timer);
		timer = setTimeout(() => {
			const told = next;
			next = Promise.withResolvers<void>();
			told.resolve();
		}, settleMs).unref();
	};
	const watchers = folders.flatMap((folder) => openWatcher(folder, changed));
	return {
		plugged: () => next.promise,
		close: () => {
			clearTimeout(timer);
			for (const watcher of watchers) watcher.close();
		},
	};
}

function openWatcher(folder: string, changed: () => void): readonly FSWatcher[] {
	try {
		const watcher = watch(folder, { persistent: false }, changed);
		// A folder that goes away is watched no more.
		watcher.on('error', () => watcher.close());
		return [watcher];
	} catch {
		return [];
	}
}
