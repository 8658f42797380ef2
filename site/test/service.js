// A stand-in for the service: who asks gets a token of their own, renewed as the real one renews.
import { createHash } from "node:crypto";

export const ENDPOINT = "https://sts.example.com";
export const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** An ID token as far as a page can tell. */
export const idTokenOf = (sub, number = 1) =>
  [
    "e30",
    Buffer.from(JSON.stringify({ iss: "https://id.example.com", sub, iat: number })).toString(
      "base64url",
    ),
    "sig",
  ].join(".");

export class Service {
  seconds = 3600;
  latency = 20;
  faults = []; // answers to give first: {status, body, retryAfter} or "down"
  down = false;
  requests = [];
  tokens = new Map(); // token → {name, until}
  guests = new Map(); // ticket → name
  users = new Map(); // user's name → the session that they took over
  carried = new Set(); // those sessions, once a user's page knows
  refusedIdTokens = new Set();
  #held = new Map(); // name → {token, until, born}
  #forced = new Map(); // name → when a refused token was last replaced
  #count = 0;

  constructor(clock) {
    this.clock = clock;
  }

  /** The global fetch. */
  fetch = async (url, { method, headers, body, ...rest }) => {
    const request = { url, method, headers, body: JSON.parse(body), rest, at: this.clock.now };
    this.requests.push(request);
    await this.clock.sleep(this.latency);
    const fault = this.faults.shift();
    if (this.down || fault === "down") throw new TypeError("Failed to fetch");
    const { status, body: answer, retryAfter } = fault ?? this.#answer(request);
    return {
      ok: status === 200,
      status,
      headers: new Headers(retryAfter ? { "retry-after": String(retryAfter) } : {}),
      json: async () => (typeof answer === "string" ? JSON.parse(answer) : answer),
    };
  };

  /** Every request that a refused token was sent with. */
  get refusals() {
    return this.requests.filter(({ body }) => body.rejected_token);
  }

  #answer({ url, headers, body }) {
    if (url === `${ENDPOINT}/guest/token`) return this.#guest(body);
    if (!url.startsWith(`${ENDPOINT}/token`)) return error(404, "not_found");
    const jwt = headers.authorization?.replace("Bearer ", "");
    if (!jwt || this.refusedIdTokens.has(jwt))
      return { status: 401, body: { message: "Unauthorized" } };
    const claims = JSON.parse(Buffer.from(jwt.split(".")[1], "base64url"));
    const sub = url.endsWith("/2") ? `staff_${claims.sub}` : claims.sub;
    const extra = {};
    const guest = this.guests.get(body.guest_ticket);
    if (body.guest_ticket) {
      if (!guest || (this.users.get(sub) !== guest && this.#isBound(guest)))
        return error(401, "invalid_token");
      if (!this.users.has(sub)) this.users.set(sub, guest);
      extra.guest_carried_over = this.users.get(sub) === guest;
    }
    const answer = this.#token(this.users.get(sub) ?? sub, body, extra);
    if (answer.status === 200 && extra.guest_carried_over) this.carried.add(guest);
    return answer;
  }

  #isBound(guest) {
    return [...this.users.values()].includes(guest);
  }

  #guest(body) {
    let ticket = body.guest_ticket;
    if (ticket && (!this.guests.has(ticket) || this.#isBound(this.guests.get(ticket))))
      return error(401, "invalid_token");
    if (!ticket) {
      ticket = `ticket-${++this.#count}`;
      this.guests.set(ticket, `guest_${this.#count}`);
    }
    return this.#token(this.guests.get(ticket), body, { guest_ticket: ticket });
  }

  #token(name, body, extra) {
    const { now } = this.clock;
    let held = this.#held.get(name);
    const refused = held && body.rejected_token === sha256(held.token);
    if (refused && now - (this.#forced.get(name) ?? -Infinity) < 60_000)
      return error(429, "slow_down", 60);
    if (refused) this.#forced.set(name, now);
    if (!held || refused || now >= held.born + 0.6 * (held.until - held.born)) {
      held = { token: `czs_${name}_${++this.#count}`, born: now, until: now + this.seconds * 1000 };
      this.#held.set(name, held);
      this.tokens.set(held.token, { name, until: held.until });
    }
    const seconds = Math.floor((held.until - now) / 1000);
    return {
      status: 200,
      body: { access_token: held.token, token: held.token, expires_in: seconds, ...extra },
    };
  }
}

export const error = (status, code, retryAfter) => ({
  status,
  retryAfter,
  body: { error: code, error_description: `${code}.`, request_id: "r-1" },
});
