import type { StaffRouteName } from '../../protocol/paths.ts';
import type { Answers } from './device-routes.ts';
import { Refusal } from './refusal.ts';

/** The centre's answers to staff who sign in at a device. */
export function staffAnswers(): Pick<Answers, StaffRouteName> {
	const refuse = async () => {
		throw new Refusal('staff_refused');
	};
	return {
		staffSignIn: refuse,
		staffStatus: refuse,
		staffTicket: refuse,
		staffOrder: refuse,
		staffLanes: refuse,
		staffLaneOrder: refuse,
	};
}
