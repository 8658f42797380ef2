// Asks the service until there is a token, or no use in asking.
import * as rules from "./rules.js";
import { ask } from "./service.js";
import { between } from "./time.js";

/** @typedef {import("./rules.js").Failure} Failure */
/**
 * @typedef {object} Asked
 * @property {string} endpoint
 * @property {import("../coze-session.js").SessionOptions} options
 * @property {ReturnType<typeof import("./tickets.js").tickets>} tickets
 * @property {string} idToken  "" for a guest
 * @property {(idToken: string) => Promise<boolean>} isSame  whether it is still the same visitor's
 * @property {string} [refused]
 */

/**
 * @param {import("./world.js").World} world
 * @param {Asked} asked
 */
export async function request(world, { endpoint, options, tickets, idToken, isSame, refused }) {
  const { path = "/token", carryOver = true, turnstile } = options;
  const { now } = world;
  /** @template T @param {number} ms @param {T} asked */
  const within = async (ms, asked) =>
    Promise.race([asked, world.sleep(ms).then(() => Promise.reject(new Error("Too slow.")))]);
  const user = !!idToken;
  const started = now();
  let ticket = user && !carryOver ? undefined : tickets.get();
  for (let attempt = 1, forced = false; ; attempt++) {
    try {
      const answer = await ask(world, endpoint + (user ? path : "/guest/token"), idToken, {
        guest_ticket: ticket,
        rejected_token: refused && (await world.digest(refused)),
        turnstile_token: user || ticket ? undefined : await within(60_000, turnstile?.()),
      });
      const spent = user && ticket; // the guest is the user now
      if (spent) tickets.drop(spent);
      return { ...answer, spent };
    } catch (error) {
      const fault = /** @type {Failure} */ (error);
      const { status, code } = fault;
      if (ticket && code && (status === 401 || (user && status === 403))) {
        tickets.drop(ticket);
        ticket = undefined;
      } else if (status === 401 && !forced && typeof options.idToken === "function") {
        forced = true;
        idToken = (await within(10_000, options.idToken(true))) || "";
        if (!(await isSame(idToken))) throw fault;
      } else {
        const ms = rules.retryMs(fault, attempt, world.random());
        const late = attempt >= rules.REQUESTS || between(started, now()) + ms > rules.RETRY_MS;
        if (late || !rules.isPassing(fault)) throw fault;
        await world.sleep(ms);
      }
    }
  }
}
