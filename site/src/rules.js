// What is decided without asking anybody. All times are milliseconds.
import { left } from "./time.js";

/** @typedef {import("./time.js").Instant} Instant */
/** @typedef {import("./time.js").Span} Span */
/** @typedef {Span & { token: string }} Held  a token, and how long it lived when it came */
/** @typedef {Error & { status: number, code?: string, retryAfter?: number, requestId?: string }} Failure */

/** How long a widget waits: the newer one gives up after 5 s. */
export const ANSWER_MS = 4_500;
/** How long a request is tried again within one answer. */
export const RETRY_MS = 4_000;
/** A widget that uses several requests at once reports one refused token for a while. */
export const ECHO_MS = 5_000;

const MINUTE = 60_000;

/** How long `ready` waits: for a cold start and Coze, and for whoever has to prove to be human. */
export const READY_MS = 90_000;
/** How long a token is handed out while the login does not say whose it is. */
export const UNSEEN_MS = 5 * MINUTE;
/** Requests within one answer. */
export const REQUESTS = 5;
/** Claims that change with each ID token. All others may name the session, as `SessionClaim` says. */
const PASSING = /^(iat|exp|nbf|auth_time|nonce|jti|sid|event_id|updated_at|\w+_(hash|jti))$/;

/**
 * Whether a token has too little life left to be handed out: the widget keeps what it gets, and it
 * would die in the middle of a chat.
 * @param {Held} held
 * @param {Instant} now
 */
export const isShort = (held, now) => left(held, now) < Math.min(held.ms / 5, 10 * MINUTE);

/**
 * How long refusals of a token are not passed on, after so many in a row. What no new token mends
 * (4101, a permission is missing) would otherwise ask for one with every click.
 * @param {number} refusals
 */
export const muteMs = (refusals) => MINUTE * 2 ** Math.min(refusals, 6);

/**
 * Whether the same request may succeed when it is sent again. Status 0: no answer came at all.
 * @param {Failure} failure
 */
export const isPassing = ({ status, code }) =>
  (status < 300 || status === 408 || status === 429 || status >= 500) &&
  code !== "upstream_rejected";

/**
 * How long to leave the service alone after so many failures in a row.
 * @param {Failure} failure
 * @param {number} failures
 * @param {number} chance  from 0 to 1
 */
export const pauseMs = (failure, failures, chance) =>
  failure.retryAfter
    ? failure.retryAfter * 1000
    : isPassing(failure) || failure.status === undefined // not of the service: a caller's function
      ? Math.min(MINUTE, 1000 * 2 ** failures) * (1 - chance / 2)
      : MINUTE;

/**
 * How long to wait before the next attempt within one answer.
 * @param {Failure} failure
 * @param {number} attempt  1 for the first
 * @param {number} chance  from 0 to 1
 */
export const retryMs = (failure, attempt, chance) =>
  failure.retryAfter ? failure.retryAfter * 1000 : 250 * 2 ** attempt * Math.max(chance, 0.2);

/**
 * Whose token it is: what tabs share must never reach another visitor. The ID token is not
 * verified here; the service does that.
 * @param {string} url
 * @param {string} idToken  "" for a guest
 */
export function identity(url, idToken) {
  /** @type {unknown} */
  let who = idToken;
  try {
    const claims = atob(idToken.split(".")[1].replace(/-/g, "+").replace(/_/g, "/"));
    who = JSON.parse(claims, (name, claim) => (PASSING.test(name) ? undefined : claim));
  } catch {} // not a JWT that can be read: the token itself tells visitors apart
  return JSON.stringify([url, who]);
}
