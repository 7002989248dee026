import type { Rung } from '../../../gate-agent/core/redemption.ts';
import type { LinkStatus } from '../engine/handheld.ts';
import type { Desk } from './desk.ts';
import { batteryLevel, lastSync, listAge, rowsWaiting } from './sentences.ts';
import { type Text, words } from './words.ts';

const linkWords: Readonly<Record<LinkStatus['state'], Text>> = {
	online: words.online,
	connecting: words.connecting,
	offline: words.offline,
};

/** How an admission is allowed, in words. */
export const rungWords: Readonly<Record<Rung, Text>> = {
	authority: words.rung_authority,
	local: words.rung_local,
	home: words.rung_home,
	staff: words.rung_staff,
};

/** How device and link stand: on the screen whatever else is there. */
export function StatusBar({ desk, link }: { readonly desk: Desk; readonly link: LinkStatus }) {
	const nowMs = desk.nowMs.value;
	const battery = desk.parts.battery.value;
	const state = desk.state.value;
	return (
		<header class="status" data-alarm={link.alarm}>
			<ul aria-label={desk.say(words.status)}>
				<li class="link" data-state={link.state}>
					{desk.say(linkWords[link.state])}
				</li>
				<li>{desk.say(rungWords[link.rung])}</li>
				<li>{desk.say(rowsWaiting(link.waiting))}</li>
				<li>{desk.say(lastSync(link.lastSyncMs, nowMs))}</li>
				<li>{desk.say(listAge(link.listAgeMs))}</li>
				{battery && (
					<li class={battery.percent <= batteryLowPercent && !battery.charging ? 'low' : ''}>
						{desk.say(batteryLevel(battery.percent, battery.charging))}
					</li>
				)}
				{state.kind === 'working' && (
					<li class="staff">
						{state.staff.name}
						{state.staff.offline && ` · ${desk.say(words.offline_shift)}`}
					</li>
				)}
			</ul>
			<Warnings desk={desk} link={link} />
		</header>
	);
}

/** From here on the battery is shown in alarm. */
const batteryLowPercent = 15;

function Warnings({ desk, link }: { readonly desk: Desk; readonly link: LinkStatus }) {
	return (
		<>
			{link.alarm && (
				<p class="warning loud" role="alert">
					{desk.say(words.alarm)}
				</p>
			)}
			{!link.persisted && <p class="warning">{desk.say(words.not_persisted)}</p>}
			{!link.clockTrusted && <p class="warning">{desk.say(words.clock_untrusted)}</p>}
		</>
	);
}
