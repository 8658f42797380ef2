// Runs the checks and writes what they found under each question.
import * as checks from "./checks.js";
import { fill, write } from "./words.js";

const SETTLED_MS = 600;

const find = (id) => document.getElementById(id);

export class Verdicts {
  #words;
  #settings;
  #botId;
  #panes;
  #run;
  #timer;

  constructor({ words, settings, botId, panes }) {
    this.#words = words;
    this.#settings = settings;
    this.#botId = botId;
    this.#panes = panes;
    this.#show("quota", { state: "note", text: words.quotaNote });
    find("run-checks").addEventListener("click", () => this.check());
    find("try-chat").addEventListener("click", () => this.#tryChat());
    addEventListener("message", (event) => this.#hear(event));
  }

  /** Checks again once the panes have come to rest. */
  checkSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.check(), SETTLED_MS);
  }

  async check() {
    const run = (this.#run = {});
    find("checks-summary").textContent = this.#words.checksRunning;
    const found = await this.#found();
    if (run !== this.#run) return; // a later run says what is so now
    for (const [check, result] of Object.entries(found)) this.#show(check, result);
    this.#summarize();
  }

  async #found() {
    const words = this.#words;
    const visitors = await Promise.all(this.#panes.map((pane) => this.#visitorOf(pane)));
    const [isolation, opening] = await Promise.all([
      checks.isolation(words, this.#botId, visitors),
      checks.opening(words, this.#botId, visitors[0]),
    ]);
    return {
      isolation,
      "user-info": checks.userInfo(words, isolation),
      "web-view": checks.webView(words, this.#panes),
      audio: checks.audio(words, window.isSecureContext),
      ball: checks.ball(words, this.#panes),
      opening,
    };
  }

  async #visitorOf({ user, visitor }) {
    return { user, visitor, api: await checks.apiOf(this.#settings, user) };
  }

  async #tryChat() {
    const words = this.#words;
    this.#show("quota", { state: "note", text: words.quotaTrying });
    const visitor = await this.#visitorOf(this.#panes[0]);
    this.#show("quota", await checks.quota(words, this.#botId, visitor));
    this.#summarize();
  }

  #hear({ origin, data }) {
    const report = origin === location.origin && checks.quotaReport(this.#words, data ?? {});
    if (!report) return;
    this.#show("quota", report);
    this.#summarize();
  }

  #show(check, { state, text }) {
    const item = find(`check-${check}`);
    item.dataset.state = state;
    write(item.querySelector(".verdict"), this.#words[state] + text);
  }

  #summarize() {
    const count = (state) => document.querySelectorAll(`.checks [data-state="${state}"]`).length;
    const counts = { ok: count("ok"), bad: count("bad"), note: count("note") };
    find("checks-summary").textContent = fill(this.#words.checksDone, counts);
  }
}
