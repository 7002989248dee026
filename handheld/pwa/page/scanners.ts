import type { ScanSession, ScanSource } from '../scan/scan-source.ts';

/** The sources that read at this moment. */
export class Scanners {
	readonly #sessions = new Set<ScanSession>();

	/** Lets a source read until `stop` is called or it is lost. Rejects where it cannot begin. */
	async start(source: ScanSource, onText: (text: string) => void, view?: HTMLVideoElement): Promise<ScanSession> {
		const session = await source.start(onText, view);
		this.#sessions.add(session);
		void session.lost.then(() => this.#sessions.delete(session));
		return session;
	}

	stop(session: ScanSession): void {
		this.#sessions.delete(session);
		session.stop();
	}

	/** Scanners that can beep or light say the verdict themselves. */
	tell(isGood: boolean): void {
		for (const session of this.#sessions) session.signal?.(isGood);
	}

	/** Ends all of them: the shift is over. */
	stopAll(): void {
		for (const session of [...this.#sessions]) this.stop(session);
	}
}
