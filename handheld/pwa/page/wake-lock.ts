/** Keeps the screen on until it is stopped, where the browser can; taken again whenever the page comes back to the front. */
export function keepAwake(page: Document): { stop(): void } {
	const abort = new AbortController();
	let lock: WakeLockSentinel | undefined;
	const take = async () => {
		if (page.visibilityState !== 'visible' || !('wakeLock' in navigator)) return;
		const taken = await navigator.wakeLock.request('screen').catch(() => undefined);
		if (abort.signal.aborted) await taken?.release();
		else lock = taken;
	};
	page.addEventListener('visibilitychange', () => void take(), { signal: abort.signal });
	void take();
	return {
		stop: () => {
			abort.abort();
			void lock?.release();
		},
	};
}
