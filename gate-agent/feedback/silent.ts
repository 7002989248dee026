import { Type } from 'typebox';
import type { Driver, Feedback } from '../core/device.ts';

/** Feedback of a lane that has neither lamps nor sounds beside its display. It is never lost. */
export const silent: Driver<unknown, unknown, Feedback> = {
	name: 'silent',
	options: Type.Object({}, { additionalProperties: false }),
	open: async () => ({ lost: new Promise(() => {}), signal() {}, close: async () => {} }),
};
