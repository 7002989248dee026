import { useSignal } from '@preact/signals';
import { CameraView } from './camera-view.tsx';
import type { Desk } from './desk.ts';
import { LanguageButton } from './language-button.tsx';
import { problemText } from './sentences.ts';
import { type Text, words } from './words.ts';

/** The longest name of a device. */
const nameLengthMax = 64;

/** Joins the venue with the code of a manager: scanned, pasted, or from the page's own address. */
export function EnrollScreen({ desk }: { readonly desk: Desk }) {
	const code = useSignal(desk.parts.enrollText ?? '');
	const name = useSignal('');
	const camera = useSignal(false);
	const problem = useSignal<Text | undefined>(undefined);
	const busy = useSignal(false);
	const submit = async (event: Event) => {
		event.preventDefault();
		busy.value = true;
		const done = await desk.parts.handheld.enroll(code.value, name.value.trim());
		busy.value = false;
		problem.value = done.kind === 'not_done' ? problemText(done.problem, desk.nowMs.value) : undefined;
	};
	const read = (text: string) => {
		code.value = text;
		camera.value = false;
	};
	return (
		<main class="page">
			<h1>{desk.say(words.enroll)}</h1>
			<p>{desk.say(words.enroll_advice)}</p>
			{camera.value && <CameraView desk={desk} onText={read} />}
			<form class="thumb" onSubmit={(event) => void submit(event)}>
				<button type="button" onClick={() => (camera.value = !camera.value)}>
					{desk.say(camera.value ? words.cancel : words.scan_code)}
				</button>
				<EnrollFields desk={desk} code={code} name={name} />
				<p class="problem" role="alert">
					{problem.value && desk.say(problem.value)}
				</p>
				<div class="row">
					<LanguageButton desk={desk} />
					<button type="submit" class="main" disabled={code.value === '' || name.value.trim() === '' || busy.value}>
						{desk.say(busy.value ? words.working : words.join)}
					</button>
				</div>
			</form>
		</main>
	);
}

interface EnrollFieldsProps {
	readonly desk: Desk;
	readonly code: { value: string };
	readonly name: { value: string };
}

function EnrollFields({ desk, code, name }: EnrollFieldsProps) {
	return (
		<>
			<label>
				{desk.say(words.enroll_text)}
				<input
					autocomplete="off"
					autocapitalize="none"
					spellcheck={false}
					value={code.value}
					onInput={(event) => (code.value = event.currentTarget.value)}
				/>
			</label>
			<label>
				{desk.say(words.device_name)}
				<input
					autocomplete="off"
					maxLength={nameLengthMax}
					placeholder={desk.say(words.device_name_hint)}
					value={name.value}
					onInput={(event) => (name.value = event.currentTarget.value)}
				/>
			</label>
		</>
	);
}
