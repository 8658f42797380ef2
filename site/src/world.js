// The browser, as far as a session needs it. Any part of it may be missing or forbidden.
import { digest } from "./digest.js";
import { channel, lock } from "./tabs.js";
import { tickets } from "./tickets.js";

/** @typedef {{ post: (message: object) => void, close: () => void }} Channel */
/**
 * @typedef {object} World
 * @property {() => import("./time.js").Instant} now
 * @property {() => number} random
 * @property {(ms: number) => Promise<void>} sleep
 * @property {typeof fetch} fetch
 * @property {typeof digest} digest
 * @property {typeof tickets} tickets
 * @property {(name: string, work: () => Promise<void>) => Promise<void>} lock
 * @property {(hear: (message: any) => void) => Channel} channel
 * @property {(call: () => void) => void} online  calls back whenever the network returns
 */

/** @returns {World} */
export const browser = () => ({
  now: () => ({ wall: Date.now(), steady: performance.now() }),
  random: Math.random,
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  fetch: (...request) => fetch(...request),
  digest,
  tickets,
  lock,
  channel,
  online: (call) => globalThis.addEventListener?.("online", call),
});
