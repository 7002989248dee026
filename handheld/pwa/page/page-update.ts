import { type ReadonlySignal, signal } from '@preact/signals';

/** How often a page that stays open looks for a new version. */
const lookMs = 30 * 60_000;

/**
 * Lets the page start without a network, by its service worker. A new version waits until staff take it into use: the
 * signal then holds the call that does so and reloads.
 */
export function watchUpdates(script: string): ReadonlySignal<(() => void) | undefined> {
	const update = signal<(() => void) | undefined>(undefined);
	if (!('serviceWorker' in navigator)) return update;
	const { serviceWorker } = navigator;
	const offer = (waiting: ServiceWorker) => {
		update.value = () => {
			serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
			waiting.postMessage({ type: 'SKIP_WAITING' });
		};
	};
	const follow = (registration: ServiceWorkerRegistration) => {
		if (registration.waiting) offer(registration.waiting);
		registration.addEventListener('updatefound', () => {
			const { installing } = registration;
			installing?.addEventListener('statechange', () => {
				// The first worker of all has no older version to take the place of.
				if (installing.state === 'installed' && serviceWorker.controller) offer(installing);
			});
		});
		setInterval(() => void registration.update().catch(() => {}), lookMs);
	};
	// Without a worker the page works all the same while there is a network.
	serviceWorker.register(script).then(follow, () => {});
	return update;
}
