import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { VenueLane } from '../engine/handheld.ts';
import type { Desk } from './desk.ts';
import { problemText } from './sentences.ts';
import { Problem, SheetFrame } from './sheet-frame.tsx';
import { type Text, words } from './words.ts';

type Order = 'confirm' | 'reject' | 'stop_group';

/** The venue's lanes: whoever waits at one may be let in from here. */
export function LanesSheet({ desk }: { readonly desk: Desk }) {
	const lanes = useSignal<readonly VenueLane[]>([]);
	const problem = useSignal<Text | undefined>(undefined);
	const told = useSignal<Text | undefined>(undefined);
	const load = async () => {
		const found = await desk.parts.handheld.lanes();
		if (found.kind === 'done') lanes.value = waitingFirst(found.value);
		else problem.value = problemText(found.problem, desk.nowMs.value);
	};
	const give = async ({ device, lane }: VenueLane, order: Order) => {
		const done = await desk.parts.handheld.orderLane({ device, lane, order });
		problem.value = done.kind === 'done' ? undefined : problemText(done.problem, desk.nowMs.value);
		told.value = done.kind === 'done' ? words.ordered : undefined;
		await load();
	};
	useEffect(() => void load(), []);
	return (
		<SheetFrame desk={desk} title={words.lanes}>
			{lanes.value.length === 0 && <p>{desk.say(words.lanes_none)}</p>}
			<ul class="uses">
				{lanes.value.map((lane) => (
					<LaneLine
						key={`${lane.device}/${lane.lane}`}
						desk={desk}
						lane={lane}
						give={(order) => void give(lane, order)}
					/>
				))}
			</ul>
			<p role="status">{told.value && desk.say(told.value)}</p>
			<Problem desk={desk} text={problem.value} />
			<button type="button" class="main" onClick={() => void load()}>
				{desk.say(words.refresh)}
			</button>
		</SheetFrame>
	);
}

interface LineProps {
	readonly desk: Desk;
	readonly lane: VenueLane;
	readonly give: (order: Order) => void;
}

function LaneLine({ desk, lane, give }: LineProps) {
	const isWaiting = lane.phase === 'confirming';
	const orders: readonly (readonly [Order, Text])[] = isWaiting
		? [
				['reject', words.reject],
				['confirm', words.confirm],
			]
		: [['stop_group', words.stop_group]];
	return (
		<li data-waiting={isWaiting}>
			<b>
				{lane.name} · {lane.lane}
			</b>
			{isWaiting && <span>{desk.say(words.lane_waits)}</span>}
			{(isWaiting || lane.phase === 'passing') && (
				<div class="row">
					{orders.map(([order, text]) => (
						<button key={order} type="button" class={order === 'confirm' ? 'main' : ''} onClick={() => give(order)}>
							{desk.say(text)}
						</button>
					))}
				</div>
			)}
		</li>
	);
}

function waitingFirst(lanes: readonly VenueLane[]): readonly VenueLane[] {
	const rank = ({ phase }: VenueLane) => (phase === 'confirming' ? 0 : 1);
	return lanes.toSorted((a, b) => rank(a) - rank(b));
}
