import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { ScanSession } from '../scan/scan-source.ts';
import type { Desk } from './desk.ts';
import { words } from './words.ts';

interface CameraProps {
	readonly desk: Desk;
	readonly onText: (text: string) => void;
}

/** What the camera sees, with a frame to hold the code in, and the light where the phone has one. */
export function CameraView({ desk, onText }: CameraProps) {
	const view = useRef<HTMLVideoElement>(null);
	const session = useSignal<ScanSession | undefined>(undefined);
	const state = useSignal<'opening' | 'open' | 'off'>('opening');
	const attempt = useSignal(0);
	useEffect(() => {
		const camera = desk.parts.sources.find(({ kind }) => kind === 'camera');
		if (camera === undefined || view.current === null) {
			state.value = 'off';
			return;
		}
		let isWanted = true;
		const open = async (video: HTMLVideoElement) => {
			const opened = await camera.start(onText, video);
			if (!isWanted) return opened.stop();
			session.value = opened;
			state.value = 'open';
			await opened.lost;
			if (isWanted) state.value = 'off';
		};
		// No camera, or none allowed: staff see it and may try again.
		open(view.current).catch(() => (state.value = 'off'));
		return () => {
			isWanted = false;
			session.value?.stop();
		};
	}, [attempt.value]);
	return (
		<div class="camera" data-state={state.value}>
			<video ref={view} muted playsInline />
			<div class="frame" aria-hidden="true" />
			{state.value === 'off' && (
				<div class="off">
					<p>{desk.say(words.camera_off)}</p>
					<button type="button" onClick={() => (attempt.value += 1)}>
						{desk.say(words.camera_on)}
					</button>
				</div>
			)}
			<Torch desk={desk} session={session.value} />
		</div>
	);
}

function Torch({ desk, session }: { readonly desk: Desk; readonly session: ScanSession | undefined }) {
	const on = useSignal(false);
	const torch = session?.torch;
	if (torch === undefined) return null;
	const toggle = async () => {
		await torch.set(!torch.on());
		on.value = torch.on();
	};
	return (
		<button type="button" class="torch" aria-pressed={on.value} onClick={() => void toggle()}>
			{desk.say(words.torch)}
		</button>
	);
}
