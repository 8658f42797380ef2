// Time that neither a wrong device clock nor a sleeping device can hold back.

/** @typedef {{ wall: number, steady: number }} Instant  milliseconds, each of a clock of its own */

/**
 * Milliseconds from one instant to another. The wall clock can be set back, and the steady one may
 * stand still while a device sleeps: the one that went further is right, or errs by renewing early.
 * @param {Instant} from
 * @param {Instant} to
 */
export const between = (from, to) => Math.max(0, to.wall - from.wall, to.steady - from.steady);

/** @typedef {{ at: Instant, ms: number }} Span  a time that began, and how long it lasts */

/**
 * Milliseconds that are left of a span.
 * @param {Span} span
 * @param {Instant} now
 */
export const left = ({ at, ms }, now) => Math.max(0, ms - between(at, now));
