// A browser with tabs: one storage, one channel, one lock a name, and a clock a device.
import { createSession } from "../src/session.js";
import { Clock, settle } from "./clock.js";
import { ENDPOINT, Service, sha256 } from "./service.js";

export class Browser {
  clock = new Clock();
  service = new Service(this.clock);
  storage = new Map();
  wrong = 0; // how far the device's wall clock is off
  asleep = 0; // how long its steady clock stood still
  chance = () => 0.5;
  said = []; // every message between tabs
  #tabs = new Set();
  #locks = new Map();
  #online = [];

  /** A session in a tab of its own. `own` replaces parts of that tab's world. */
  tab(options = {}, own = {}) {
    return createSession({ endpoint: ENDPOINT, ...options }, { ...this.world(), ...own });
  }

  world() {
    return {
      now: () => ({ wall: this.clock.now + this.wrong, steady: this.clock.now - this.asleep }),
      random: () => this.chance(),
      sleep: this.clock.sleep,
      fetch: this.service.fetch,
      digest: async (text) => sha256(text),
      tickets: (endpoint) => this.tickets(endpoint),
      lock: (name, work) => this.#lock(name, work),
      channel: (hear) => this.#channel(hear),
      online: (call) => this.#online.push(call),
    };
  }

  tickets(endpoint) {
    const name = `coze-sts-guest-ticket ${endpoint}`;
    return {
      get: () => this.storage.get(name),
      set: (ticket) => this.storage.set(name, ticket),
      hear() {},
      drop: (only) => (!only || this.storage.get(name) === only) && this.storage.delete(name),
    };
  }

  comeOnline() {
    for (const call of this.#online) call();
  }

  /** What a promise comes to, while time passes. */
  async wait(promise, ms = 10_000) {
    const box = {};
    promise.then(
      (value) => Object.assign(box, { value, at: this.clock.now }),
      (fault) => Object.assign(box, { fault, at: this.clock.now }),
    );
    const end = this.clock.now + ms;
    while (!box.at && this.clock.now < end) await this.clock.pass(10);
    await settle();
    if (!box.at) throw new Error("nothing came of it in time");
    if (box.fault) throw box.fault;
    return box.value;
  }

  #channel(hear) {
    const me = { hear };
    this.#tabs.add(me);
    return {
      post: (message) => {
        if (!this.#tabs.has(me)) return; // as the real one does where it is closed
        const copy = structuredClone(message);
        this.said.push(copy);
        for (const tab of this.#tabs)
          if (tab !== me) queueMicrotask(() => this.#tabs.has(tab) && tab.hear(copy));
      },
      close: () => this.#tabs.delete(me),
    };
  }

  #lock(name, work) {
    const before = this.#locks.get(name) ?? Promise.resolve();
    const mine = before.then(work);
    this.#locks.set(
      name,
      mine.catch(() => {}),
    );
    return mine;
  }
}
