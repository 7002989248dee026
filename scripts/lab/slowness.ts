/**
 * How many times slower this guest is than the one on which the limits of its tests were set, at least 1: an emulated processor is
 * as quick as its host is today. The start of the guest tells it by the time that its own boot took.
 */
export const slowness: number = Math.max(1, Number(process.env.STILEWARD_LAB_SLOWNESS ?? 1));
