import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { lock } from "../src/tabs.js";
import { tickets } from "../src/tickets.js";
import { Browser } from "./browser.js";
import { settle } from "./clock.js";

const TICKET = "coze-sts-guest-ticket";
const SILENT = { channel: () => ({ post() {}, close() {} }) };
const namesOf = ({ service }, tokens) =>
  new Set(tokens.map((token) => service.tokens.get(token)?.name));

class Storage {
  items = new Map();
  getItem = (name) => this.items.get(name) ?? null;
  setItem = (name, value) => void this.items.set(name, value);
  removeItem = (name) => void this.items.delete(name);
}

const denied = {
  getItem() {
    throw new Error("SecurityError");
  },
  setItem() {
    throw new Error("SecurityError");
  },
  removeItem() {
    throw new Error("SecurityError");
  },
};

beforeEach(() => (globalThis.localStorage = new Storage()));
afterEach(() => {
  delete globalThis.localStorage;
  mock.timers.reset();
});

test("ten tabs that open at once make one request and one guest", async () => {
  const browser = new Browser();
  const tabs = Array.from({ length: 10 }, () => browser.tab());
  const tokens = await Promise.all(tabs.map((tab) => browser.wait(tab.onRefreshToken(""))));
  assert.deepEqual([...namesOf(browser, tokens)], ["guest_1"]);
  assert.equal(browser.service.requests.length, 1);
});

test("a tab that opens later gets the token from the others", async () => {
  const browser = new Browser();
  const token = await browser.wait(browser.tab().getToken());
  await browser.clock.pass(60_000);
  assert.equal(await browser.wait(browser.tab().getToken()), token);
  assert.equal(browser.service.requests.length, 1);
});

test("a refused token is replaced for every tab by one request, and then muted in all", async () => {
  const browser = new Browser();
  const tabs = [browser.tab(), browser.tab(), browser.tab()];
  const [token] = await Promise.all(tabs.map((tab) => browser.wait(tab.onRefreshToken(""))));
  const next = await Promise.all(tabs.map((tab) => browser.wait(tab.onRefreshToken(token))));
  await Promise.all(tabs.map((tab) => browser.wait(tab.onRefreshToken(next[0]))));
  assert.equal(new Set([token, ...next]).size, 2);
  assert.equal(browser.service.refusals.length, 1);
});

test("a tab that is behind does not bring an older token back", async () => {
  const browser = new Browser();
  const [ahead, behind] = [browser.tab(), browser.tab({}, SILENT)];
  const old = await browser.wait(behind.getToken());
  await browser.clock.pass(1_000);
  await browser.wait(ahead.getToken());
  const token = await browser.wait(ahead.onRefreshToken(old));
  assert.equal(await browser.wait(ahead.getToken()), token);
});

test("a tab that nobody answers asks for itself", async () => {
  const browser = new Browser();
  await browser.wait(browser.tab({}, SILENT).getToken());
  assert.equal(browser.service.requests.length, 1);
});

test("where storage is denied, the tabs are still one guest", async () => {
  globalThis.localStorage = denied;
  const browser = new Browser();
  const tab = () => browser.tab({}, { tickets: tickets() });
  const [first, second] = [tab(), tab()];
  await browser.wait(first.getToken());
  await browser.wait(second.getToken());
  await browser.clock.pass(61 * 60_000);
  const tokens = [await browser.wait(second.getToken()), await browser.wait(first.getToken())];
  assert.deepEqual([...namesOf(browser, tokens)], ["guest_1"]);
});

test("a ticket is kept in the storage, and nowhere else where there is one", () => {
  const kept = tickets();
  kept.set(TICKET, "t1");
  localStorage.removeItem(TICKET);
  assert.equal(kept.get(TICKET), undefined);
});

test("a spent ticket is dropped, and a newer one is not", () => {
  const kept = tickets();
  kept.set(TICKET, "t2");
  kept.drop(TICKET, "t1");
  assert.equal(kept.get(TICKET), "t2");
  kept.drop(TICKET, "t2");
  assert.equal(kept.get(TICKET), undefined);
});

test("where storage is denied, a ticket is kept in memory and can be forgotten", () => {
  globalThis.localStorage = denied;
  const kept = tickets();
  kept.set(TICKET, "t1");
  assert.equal(kept.get(TICKET), "t1");
  kept.drop(TICKET);
  assert.equal(kept.get(TICKET), undefined);
});

test("without Web Locks, tabs take turns by a lease in the storage", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const at = [];
  const work = () => new Promise((resolve) => (at.push(Date.now()), setTimeout(resolve, 300)));
  const done = [lock("a", work), lock("a", work), lock("a", work), lock("b", work)];
  for (let ms = 0; ms < 3_000; ms += 10) {
    mock.timers.tick(10);
    await settle();
  }
  await Promise.all(done);
  const [, , ...own] = at.sort((x, y) => x - y);
  assert.equal(at.length, 4);
  assert.ok(at[2] - at[1] >= 300 && own[1] - own[0] >= 300, at.join());
  assert.equal(localStorage.items.size, 0);
});

test("a tab that died with the lease keeps nobody waiting for more than 4 s", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  localStorage.setItem("coze-session a", `0.5 ${Date.now() + 60_000}`);
  let done = false;
  lock("a", async () => void (done = true));
  for (let ms = 0; ms <= 4_100; ms += 50) {
    mock.timers.tick(50);
    await settle();
  }
  assert.ok(done);
});

test("without locks and without storage, the work is done all the same, and its fault is told", async () => {
  globalThis.localStorage = denied;
  let done = 0;
  await lock("a", async () => void done++);
  assert.equal(done, 1);
  await assert.rejects(
    lock("a", () => Promise.reject(new Error("down"))),
    /down/,
  );
});

test("the work of a Web Lock is done once, also where it fails", async () => {
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  const locks = { request: (_name, _options, work) => work() };
  Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
  let done = 0;
  const work = () => (done++, Promise.reject(new Error("down")));
  await assert.rejects(lock("a", work), /down/);
  assert.equal(done, 1);
  if (before) Object.defineProperty(globalThis, "navigator", before);
  else delete globalThis.navigator;
});
