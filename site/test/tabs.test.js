import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { lock } from "../src/tabs.js";
import { tickets } from "../src/tickets.js";
import { Browser } from "./browser.js";

const NAME = "coze-sts-guest-ticket https://a";
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
  const tab = () => browser.tab({}, { tickets });
  const [first, second] = [tab(), tab()];
  await browser.wait(first.getToken());
  await browser.wait(second.getToken());
  await browser.clock.pass(61 * 60_000);
  const tokens = [await browser.wait(second.getToken()), await browser.wait(first.getToken())];
  assert.deepEqual([...namesOf(browser, tokens)], ["guest_1"]);
});

test("a ticket is kept in the storage, and nowhere else where there is one", () => {
  const kept = tickets("https://a");
  kept.set("t1");
  localStorage.removeItem(NAME);
  assert.equal(kept.get(), undefined);
});

test("a spent ticket is dropped, and a newer one is not", () => {
  const kept = tickets("https://a");
  kept.set("t2");
  kept.drop("t1");
  assert.equal(kept.get(), "t2");
  kept.drop("t2");
  assert.equal(kept.get(), undefined);
});

test("where storage is denied, a ticket is kept in memory and can be forgotten", () => {
  globalThis.localStorage = denied;
  const kept = tickets("https://a");
  kept.set("t1");
  assert.equal(kept.get(), "t1");
  kept.drop();
  assert.equal(kept.get(), undefined);
});

test("without Web Locks the work is done all the same, and its fault is told", async () => {
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
