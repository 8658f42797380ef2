// A visitor's token: from memory, from another tab, or from the service.
import { TICKET, request } from "./request.js";
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
  const { now, sleep, tickets } = world;

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
    const who = rules.identity(endpoint + path, idToken);
    return (await world.digest(who)) ?? who;
  }

  function open() {
    if (channel) return channel;
    world.online(() => {
      if (!visitor.failure?.status) visitor.pause = undefined;
    });
    return (channel = world.channel(hear));
  }

  function close() {
    closed = true;
    visitor = new Visitor("", now);
    tickets.drop(TICKET);
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
      ticket: tickets.get(TICKET),
    });

  /** @param {any} message */
  function hear({ key, out, wants, fault, pauseMs, token, ms, muteMs, ticket }) {
    if (key !== visitor.key) return;
    if (out) return close();
    if (wants) return visitor.isGood() && share(visitor);
    if (fault) return visitor.rest(failure(fault.message, fault), pauseMs);
    visitor.hold(token, ms);
    visitor.mute = { ms: muteMs, at: now() };
    tickets.hear(TICKET, ticket);
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
      idToken: of.idToken,
      isSame,
      refused,
    });
    if (closed) return;
    if (answer.ticket) tickets.set(TICKET, answer.ticket);
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
        post(of, { pauseMs, fault: { ...fault } });
        options.onError?.(fault);
      }
      throw fault;
    } finally {
      of.flight = undefined;
    }
  }

  /** @param {string} [refused] */
  async function obtain(refused) {
    open();
    const idToken = await signIn();
    const key = await keyOf(idToken);
    if (key !== visitor.key) visitor = new Visitor(key, now);
    const of = visitor;
    if (idToken !== of.idToken) of.pause = undefined;
    of.idToken = idToken;
    if (closed || (!idToken && !guest)) throw failure("Sign in first.", { status: 401 });
    if (of.isGood(refused)) return;
    of.checkPause();
    await (of.flight ??= fly(of, refused));
    if (of !== visitor) await obtain(); // somebody else signed in meanwhile
  }

  /** @param {string} [refused] */
  async function token(refused) {
    let fault = failure("No token came in time.");
    try {
      await Promise.race([obtain(refused), sleep(rules.ANSWER_MS)]);
    } catch (error) {
      fault = /** @type {Failure} */ (error);
    }
    if (visitor.token) return visitor.token;
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
      return (first ??= token().catch(() => ""));
    },

    getToken: () => token(),

    async onRefreshToken(old) {
      const given = await token(refusedOf(old)).catch(() => "");
      if (handed && given !== handed) replaced = now();
      handed = given;
      return given;
    },

    async signOut() {
      const key = visitor.key || (await keyOf(await signIn().catch(() => "")));
      open().post({ key, out: true });
      close();
    },
  };
}
