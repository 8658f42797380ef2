// Time that passes only when a test says so.

export class Clock {
  now = 1_800_000_000_000;
  #timers = [];
  #number = 0;

  sleep = (ms) =>
    new Promise((wake) => this.#timers.push({ at: this.now + ms, number: this.#number++, wake }));

  /** Lets everything that is due happen, in order, and what follows from it. */
  async pass(ms) {
    const end = this.now + ms;
    for (;;) {
      await settle();
      const due = this.#timers.filter(({ at }) => at <= end);
      if (!due.length) break;
      const next = due.reduce((a, b) =>
        b.at < a.at || (b.at === a.at && b.number < a.number) ? b : a,
      );
      this.#timers.splice(this.#timers.indexOf(next), 1);
      this.now = Math.max(this.now, next.at);
      next.wake();
    }
    this.now = end;
    await settle();
  }
}

/** Until nothing happens any more without time passing. */
export const settle = async () => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
};
