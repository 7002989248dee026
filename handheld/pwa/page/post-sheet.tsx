import { useSignal } from '@preact/signals';
import type { Direction } from '../../../gate-agent/core/redemption.ts';
import { Choices } from './choices.tsx';
import { SheetFrame } from './sheet-frame.tsx';
import type { SheetProps } from './sheet-view.tsx';
import { words } from './words.ts';

/** Which way visitors go here, and into which zone. */
export function PostSheet({ desk, state }: SheetProps) {
	const direction = useSignal<Direction>(state.post.direction);
	const zone = useSignal(state.post.zone);
	const isZone = /^[a-z0-9_-]{1,32}$/.test(zone.value);
	const submit = async (event: Event) => {
		event.preventDefault();
		await desk.parts.handheld.setPost({ direction: direction.value, zone: zone.value });
		desk.sheet.value = undefined;
	};
	return (
		<SheetFrame desk={desk} title={words.post}>
			<form onSubmit={(event) => void submit(event)}>
				<Choices
					desk={desk}
					legend={words.direction}
					name="direction"
					options={[
						['entry', words.entry],
						['exit', words.exit],
					]}
					chosen={direction}
				/>
				<label>
					{desk.say(words.zone)}
					<input
						autocomplete="off"
						autocapitalize="none"
						spellcheck={false}
						value={zone.value}
						onInput={(event) => (zone.value = event.currentTarget.value.toLowerCase())}
					/>
				</label>
				<button type="submit" class="main" disabled={!isZone}>
					{desk.say(words.save)}
				</button>
			</form>
		</SheetFrame>
	);
}
