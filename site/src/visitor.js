// What is known of one visitor. A request writes only into the one that it was begun for, so a
// sign-in in the middle mixes nothing up.
import * as rules from "./rules.js";
import { between, left } from "./time.js";

/** @typedef {import("./rules.js").Failure} Failure */
/** @typedef {import("./time.js").Span} Span */

export class Visitor {
  /** @type {import("./rules.js").Held | undefined} */
  held;
  /** @type {Failure | undefined} */
  failure;
  /** @type {Span | undefined} */
  pause; // the service is left alone
  /** @type {Span | undefined} */
  mute; // refusals are not passed on
  /** @type {Promise<void> | undefined} */
  flight;
  /** @type {(() => void) | undefined} */
  heard; // another tab said something
  failures = 0;
  refusals = 0;
  idToken = "";
  /** @type {import("./time.js").Instant | undefined} */
  seen; // when the login last said that it is them

  /**
   * @param {string} key
   * @param {() => import("./time.js").Instant} now
   */
  constructor(key, now) {
    this.key = key;
    this.now = now;
  }

  /** @param {Span} [span] */
  left(span) {
    return span ? left(span, this.now()) : 0;
  }

  /** The token, if it lives. One that was seen dead stays so, whatever the clocks say later. */
  get token() {
    const { held } = this;
    if (held && !this.left(held)) held.ms = 0;
    return held?.ms ? held.token : undefined;
  }

  /**
   * Whether the token can be handed out, to somebody who was refused with `refused`.
   * @param {string} [refused]
   */
  isGood(refused) {
    const { held, token } = this;
    const heeded = token === refused && !this.left(this.mute);
    return held && token && !heeded && !rules.isShort(held, this.now());
  }

  /**
   * Keeps a token, unless there is one that lives longer: a tab that is behind replaces nothing.
   * @param {string} token
   * @param {number} ms
   */
  hold(token, ms) {
    if (this.left(this.held) < ms) this.held = { token, ms, at: this.now() };
  }

  /** Counts a refused token; the next refusals are not passed on for a while. */
  refuse() {
    if (this.mute && between(this.mute.at, this.now()) > 2 * this.mute.ms) this.refusals = 0;
    this.mute = { ms: rules.muteMs(this.refusals++), at: this.now() };
  }

  /**
   * Leaves the service alone, because of this.
   * @param {Failure} failure
   * @param {number} ms
   */
  rest(failure, ms) {
    this.failure = failure;
    this.pause = { ms, at: this.now() };
  }

  /** Throws what the service is left alone for. */
  checkPause() {
    if (this.left(this.pause)) throw this.failure;
  }
}
