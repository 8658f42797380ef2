// Tabs, visitors and a service that misbehave at random: what holds in every such world.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Browser } from "./browser.js";
import { error, idTokenOf } from "./service.js";

const TABS = 3;
const PEOPLE = ["alice", "bob", ""];
const tab = fc.nat(TABS - 1);

const steps = (...more) =>
  fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          does: fc.constant("refresh"),
          tab,
          says: fc.constantFrom("", undefined, "held", "older"),
        }),
      },
      { weight: 3, arbitrary: fc.record({ does: fc.constant("get"), tab }) },
      {
        weight: 4,
        arbitrary: fc.record({
          does: fc.constant("pass"),
          ms: fc.constantFrom(100, 5_000, 60_000, 1_500_000, 3_700_000),
        }),
      },
      fc.record({ does: fc.constant("person"), tab, who: fc.constantFrom(...PEOPLE) }),
      fc.record({ does: fc.constant("down"), down: fc.boolean() }),
      fc.record({ does: fc.constant("latency"), ms: fc.constantFrom(0, 300, 3_000, 9_000) }),
      fc.record({
        does: fc.constant("faults"),
        faults: fc.array(
          fc.constantFrom(
            "down",
            error(500, "x"),
            error(429, "slow_down", 7),
            error(503, "x", 1),
            error(403, "access_denied"),
            { status: 200, body: "<" },
          ),
          { maxLength: 4 },
        ),
      }),
      fc.record({ does: fc.constant("online") }),
      fc.record({ does: fc.constant("signOut"), tab }),
      fc.record({ does: fc.constant("load"), tab }),
      ...more,
    ),
    { minLength: 5, maxLength: 40 },
  );

// One of the two clocks is right: who is wrong about both takes a dead token for a living one, until
// Coze refuses it.
const setClock = fc.record({
  does: fc.constant("clock"),
  wrong: fc.constantFrom(0, 86_400_000, -86_400_000),
});
const fallAsleep = fc.record({
  does: fc.constant("sleep"),
  ms: fc.constantFrom(60_000, 7_200_000),
});
const worlds = fc.oneof(steps(setClock), steps(fallAsleep));
const luck = fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true }));

class World {
  browser = new Browser();
  people = Array(TABS).fill("alice");
  sessions = [];
  given = []; // the token that each tab's widget has
  older = [];
  past = new Set(); // guests that nobody may be any more

  constructor(carryOver) {
    this.carryOver = carryOver;
    for (let tab = 0; tab < TABS; tab++) this.load(tab);
  }

  /** The page is loaded: its widget has no token any more. */
  load(tab) {
    const idToken = () => (this.people[tab] ? idTokenOf(this.people[tab]) : null);
    const { carryOver } = this;
    this.sessions[tab] = this.browser.tab({ idToken, guest: true, carryOver });
    this.given[tab] = this.older[tab] = undefined;
  }

  async do(step) {
    const { browser } = this;
    const { service, clock } = browser;
    if (step.does === "pass") return clock.pass(step.ms);
    if (step.does === "down") service.down = step.down;
    if (step.does === "latency") service.latency = step.ms;
    if (step.does === "faults") service.faults = [...step.faults];
    if (step.does === "clock") browser.wrong = step.wrong;
    if (step.does === "online") browser.comeOnline();
    if (step.does === "person") {
      if (this.people[step.tab] !== step.who)
        this.given[step.tab] = this.older[step.tab] = undefined;
      this.people[step.tab] = step.who;
    }
    if (step.does === "sleep") {
      browser.asleep += step.ms;
      return clock.pass(step.ms);
    }
    if (step.does === "load") this.load(step.tab);
    if (step.does === "signOut") return this.signOut(step);
    if (step.does === "refresh") return this.refresh(step);
    if (step.does === "get") return this.get(step);
  }

  async refresh({ tab, says }) {
    const old = says === "held" ? this.given[tab] : says === "older" ? this.older[tab] : says;
    const held = this.given[tab];
    const before = this.lives(held) && this.isTheirs(tab, held);
    const began = this.browser.clock.now;
    const token = await this.browser.wait(this.sessions[tab].onRefreshToken(old));
    assert.ok(this.browser.clock.now - began < 5_000, "it took too long");
    this.check(tab, token);
    if (before && this.lives(this.given[tab]) && !this.browser.jumped)
      assert.ok(token, "nothing was given though one lives");
    if (token !== this.given[tab]) this.older[tab] = this.given[tab];
    this.given[tab] = token || this.given[tab];
  }

  /** The others' pages stay as they are, but may have to do without the token they had. */
  async signOut({ tab }) {
    const { guests } = this.browser.service;
    for (const name of guests.values()) this.past.add(name);
    await this.browser.wait(this.sessions[tab].signOut());
    this.people[tab] = "";
    this.load(tab);
    this.given = [];
  }

  async get({ tab }) {
    const token = await this.browser.wait(
      this.sessions[tab].getToken().catch((fault) => {
        assert.equal(typeof fault.status, "number");
        return "";
      }),
    );
    this.check(tab, token);
  }

  lives(token) {
    return token && this.browser.service.tokens.get(token).until > this.browser.clock.now;
  }

  isTheirs(tab, token) {
    const { tokens, users, carried } = this.browser.service;
    const { name } = tokens.get(token);
    const who = this.people[tab];
    if (who) return name === who || name === users.get(who);
    return name.startsWith("guest_") && !carried.has(name) && !this.past.has(name);
  }

  check(tab, token) {
    if (!token) return;
    const { name, until } = this.browser.service.tokens.get(token);
    assert.ok(this.isTheirs(tab, token), `${this.people[tab] || "a guest"} got that of ${name}`);
    assert.ok(until >= this.browser.clock.now, "it is dead");
  }
}

test("in any world: no rejection, nobody else's token, no dead one, none withheld, an answer in 5 s", async () => {
  await fc.assert(
    fc.asyncProperty(worlds, luck, fc.boolean(), async (steps, luck, carryOver) => {
      const world = new World(carryOver);
      world.browser.chance = () => luck.next().value;
      for (const step of steps) {
        if (step.does === "clock") world.browser.jumped = true;
        await world.do(step);
      }
    }),
    { numRuns: Number(process.env.RUNS ?? 150) },
  );
});
