// A visitor's token: from memory, from another tab, or from the service.
import { request } from "./request.js";
import * as rules from "./rules.js";
import { failure } from "./service.js";
import { between } from "./time.js";
import { Visitor } from "./visitor.js";

/** @typedef {import("./rules.js").Failure} Failure */

/**
 * @param {import("../coze-session.js").SessionOptions} options
 * @param {import("./world.js").World} world
 * @returns {import("../coze-session.js").Session}
 */
export function createSession(options, world) {
  const { guest = !options.idToken, path = "/token" } = options;
  const endpoint = options.endpoint.replace(/\/+$/, "");
  const { now, sleep } = world;
  const tickets = world.tickets(endpoint);

  let closed = false;
  let visitor = new Visitor("", now);
  /** @type {Promise<string> | undefined} */
  let first;
  /** @type {string | undefined} */
  let handed; // what the widget has
  /** @type {import("./time.js").Instant | undefined} */
  let replaced; // when it got something else than before
  /** @type {import("./world.js").Channel | undefined} */
  let channel;

  async function signIn() {
    const { idToken } = options;
    return (typeof idToken === "function" ? await idToken(false) : idToken) || "";
  }

  /**
   * Names locks and messages, so neither a name nor an ID token may be in it.
   * @param {string} idToken
   */
  async function keyOf(idToken) {
    const who = rules.identity(endpoint + (idToken && path), idToken);
    return (await world.digest(who)) ?? who;
  }

  function open() {
    if (channel) return channel;
    world.online(() => {
      if (!visitor.failure?.status) visitor.pause = undefined;
    });
    return (channel = world.channel(hear));
  }

  /** @param {string} key @param {string} [ticket]  a tab that slept may find a newer one, which stays */
  function forget(key, ticket) {
    visitor = new Visitor(key, now);
    tickets.drop(ticket);
  }

  /** @param {string} [ticket] */
  function close(ticket) {
    closed = true;
    forget("", ticket);
    channel?.close();
  }

  /** @param {Visitor} of @param {object} message */
  const post = ({ key }, message) => channel?.post({ key, ...message });

  /** @param {Visitor} of */
  const share = (of) =>
    post(of, {
      token: of.token,
      ms: of.left(of.held),
      muteMs: of.left(of.mute),
      ticket: tickets.get(),
    });

  /** @param {any} message */
  function hear({ key, out, gone, wants, fault, pauseMs, token, ms, muteMs, ticket }) {
    if (key !== visitor.key) return;
    if (out) return close(ticket);
    if (gone) return forget(key, ticket);
    if (wants) return visitor.isGood() && share(visitor);
    if (fault) return visitor.rest(failure(fault.message, fault), pauseMs);
    if (typeof token !== "string") return; // of another version
    visitor.hold(token, ms);
    if (muteMs > visitor.left(visitor.mute)) visitor.mute = { ms: muteMs, at: now() };
    tickets.hear(ticket);
    visitor.heard?.();
  }

  /** @param {Visitor} of @param {string} [refused] */
  const askTabs = (of, refused) =>
    new Promise((resolve) => {
      of.heard = () => of.isGood(refused) && resolve(undefined);
      post(of, { wants: true });
      sleep(50).then(resolve);
    });

  /**
   * The work of one flight, while no other tab does its own.
   * @param {Visitor} of
   * @param {string} [refused]
   */
  async function fetchToken(of, refused) {
    if (!of.isGood(refused)) await askTabs(of, refused);
    if (of.isGood(refused)) return;
    of.checkPause(); // another tab was told to wait
    if (refused && refused === of.token) of.refuse();
    const isSame = async (/** @type {string} */ idToken) => (await keyOf(idToken)) === of.key;
    const answer = await request(world, {
      endpoint,
      options,
      tickets,
      idToken: of.idToken,
      isSame,
      refused,
    });
    const ticket = answer.spent;
    if (ticket) channel?.post({ key: await keyOf(""), gone: true, ticket });
    if (of !== visitor) return; // signed out, or somebody else
    if (answer.ticket) tickets.set(answer.ticket);
    of.held = undefined;
    of.hold(answer.token, answer.ms);
    of.failures = 0;
    share(of);
  }

  /** @param {Visitor} of @param {string} [refused] */
  async function fly(of, refused) {
    try {
      await world.lock(of.key, () => fetchToken(of, refused));
    } catch (error) {
      const fault = /** @type {Failure} */ (error);
      if (fault !== of.failure) {
        const pauseMs = rules.pauseMs(fault, of.failures++, world.random());
        of.rest(fault, pauseMs);
        if (fault.status !== undefined) post(of, { pauseMs, fault: { ...fault } });
        options.onError?.(fault);
      }
      throw fault;
    } finally {
      of.flight = undefined;
    }
  }

  /** @param {string} [refused] @param {boolean} [again] */
  async function obtain(refused, again) {
    open();
    const idToken = await signIn();
    const key = await keyOf(idToken);
    if (key !== visitor.key) visitor = new Visitor(key, now);
    const of = visitor;
    if (idToken !== of.idToken && of.failure?.status === 401) of.pause = undefined;
    of.idToken = idToken;
    of.seen = now();
    if (closed || (!idToken && !guest)) throw failure("Sign in first.", { status: 401 });
    if (of.isGood(refused)) return;
    of.checkPause();
    await (of.flight ??= fly(of, refused));
    // Somebody else may have signed in meanwhile.
    if (!again && (of !== visitor || (await keyOf(await signIn())) !== of.key))
      await obtain(undefined, true);
  }

  /** @param {string} [refused] @param {number} [ms] */
  async function token(refused, ms = rules.ANSWER_MS) {
    let fault = failure("No token in time.");
    try {
      await Promise.race([obtain(refused), sleep(ms)]);
    } catch (error) {
      fault = /** @type {Failure} */ (error);
    }
    // Where the login does not say who is there, they are for a while who they were.
    const { token, seen } = visitor;
    if (token && seen && between(seen, now()) < rules.UNSEEN_MS) return token;
    throw fault;
  }

  /**
   * The token that the widget was refused with. Often it does not say; at its start it says "".
   * @param {string} [old]
   */
  function refusedOf(old) {
    const held = visitor.held?.token;
    if (old && old !== held) return old;
    if (old || !visitor.token) return visitor.token; // none: it came to its end by itself
    const echo = replaced && between(replaced, now()) < rules.ECHO_MS;
    return !echo && (old === undefined || handed === held) ? held : undefined;
  }

  return {
    get ready() {
      return (first ??= token(undefined, rules.READY_MS).catch(() => {
        first = undefined; // the next look asks again
        return "";
      }));
    },

    getToken: () => token(),

    async onRefreshToken(old) {
      const given = await token(refusedOf(old)).catch(() => "");
      if (handed && given !== handed) replaced = now();
      handed = given;
      return given;
    },

    async signOut() {
      const ticket = tickets.get();
      let { key } = visitor;
      close();
      const told = (channel = world.channel(() => {})); // the one before may be closed for long
      if (!key) {
        const idToken = await Promise.race([signIn().catch(() => ""), sleep(1_000)]);
        key = await keyOf(idToken || "");
      }
      told.post({ key, out: true, ticket });
      told.post({ key: await keyOf(""), gone: true, ticket });
      told.close();
    },
  };
}
