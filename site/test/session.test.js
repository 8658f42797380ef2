import assert from "node:assert/strict";
import { test } from "node:test";
import { Browser } from "./browser.js";
import { ENDPOINT, error, idTokenOf, sha256 } from "./service.js";

const TICKET = `coze-sts-guest-ticket ${ENDPOINT}`;
const MINUTE = 60_000;

test("nothing is asked of the service before a token is wanted", async () => {
  const browser = new Browser();
  browser.tab();
  await browser.clock.pass(MINUTE);
  assert.equal(browser.service.requests.length, 0);
});

test("a new guest gets a token and keeps the ticket", async () => {
  const browser = new Browser();
  const token = await browser.wait(browser.tab().ready);
  assert.equal(browser.service.tokens.get(token).name, "guest_1");
  assert.equal(browser.storage.get(TICKET), "ticket-1");
});

test("a guest who comes back is the same guest", async () => {
  const browser = new Browser();
  await browser.wait(browser.tab().ready);
  await browser.clock.pass(MINUTE);
  await browser.wait(browser.tab({}, { channel: () => ({ post() {}, close() {} }) }).ready);
  assert.deepEqual(
    browser.service.requests.map(({ body }) => body.guest_ticket),
    [undefined, "ticket-1"],
  );
});

test("a guest whose ticket is refused becomes a new guest at once", async () => {
  const browser = new Browser();
  browser.storage.set(TICKET, "too old");
  const token = await browser.wait(browser.tab().onRefreshToken(""), 1_000);
  assert.equal(browser.service.tokens.get(token).name, "guest_1");
});

test("a signed-in visitor is asked for by the ID token, and is no guest", async () => {
  const browser = new Browser();
  const token = await browser.wait(browser.tab({ idToken: idTokenOf("alice") }).getToken());
  assert.equal(browser.service.tokens.get(token).name, "alice");
  const [{ url, headers }] = browser.service.requests;
  assert.equal(url, `${ENDPOINT}/token`);
  assert.equal(headers.authorization, `Bearer ${idTokenOf("alice")}`);
  assert.equal(browser.storage.size, 0);
});

test("neither cookies nor a referrer go along, and no redirect is followed", async () => {
  const browser = new Browser();
  await browser.wait(browser.tab().ready);
  const { credentials, redirect, referrerPolicy } = browser.service.requests[0].rest;
  assert.deepEqual([credentials, redirect, referrerPolicy], ["omit", "error", "no-referrer"]);
});

test("without a sign-in and without guests nothing is asked", async () => {
  const browser = new Browser();
  const session = browser.tab({ idToken: () => null });
  await assert.rejects(browser.wait(session.getToken()), { status: 401 });
  assert.equal(await browser.wait(session.onRefreshToken("")), "");
  assert.equal(browser.service.requests.length, 0);
});

test("a token that lives is handed out again without a request", async () => {
  const browser = new Browser();
  const session = browser.tab();
  const token = await browser.wait(session.getToken());
  await browser.clock.pass(40 * MINUTE);
  assert.equal(await browser.wait(session.getToken()), token);
  assert.equal(browser.service.requests.length, 1);
});

test("a token is renewed before its hand-out would be too short", async () => {
  const browser = new Browser();
  const session = browser.tab();
  const token = await browser.wait(session.getToken());
  await browser.clock.pass(51 * MINUTE);
  const next = await browser.wait(session.getToken());
  assert.notEqual(next, token);
  assert.equal(browser.service.refusals.length, 0);
});

test("a token that came to its end is renewed and not reported as refused", async () => {
  for (const old of ["", undefined, "the token"]) {
    const browser = new Browser();
    const session = browser.tab();
    const token = await browser.wait(session.onRefreshToken(""));
    await browser.clock.pass(61 * MINUTE);
    const next = await browser.wait(session.onRefreshToken(old === "the token" ? token : old));
    assert.notEqual(next, token);
    assert.equal(browser.service.refusals.length, 0);
  }
});

test("a device that slept does not take a dead token for a living one", async () => {
  const browser = new Browser();
  const session = browser.tab();
  const token = await browser.wait(session.getToken());
  browser.asleep = 120 * MINUTE;
  await browser.clock.pass(120 * MINUTE);
  assert.notEqual(await browser.wait(session.getToken()), token);
});

test("a clock that is set back does not make a token live longer", async () => {
  const browser = new Browser();
  browser.wrong = 400 * 24 * 60 * MINUTE;
  const session = browser.tab();
  const token = await browser.wait(session.getToken());
  browser.wrong = -400 * 24 * 60 * MINUTE;
  assert.equal(await browser.wait(session.getToken()), token);
  await browser.clock.pass(61 * MINUTE);
  assert.notEqual(await browser.wait(session.getToken()), token);
});

test("a token that was seen dead stays dead when a clock is set back", async () => {
  const browser = new Browser();
  const session = browser.tab();
  await browser.wait(session.getToken());
  browser.service.down = true;
  browser.asleep = 120 * MINUTE;
  await browser.clock.pass(120 * MINUTE);
  assert.equal(await browser.wait(session.onRefreshToken("")), "");
  browser.wrong = -400 * 24 * 60 * MINUTE;
  assert.equal(await browser.wait(session.onRefreshToken("")), "");
});

test("a refused token is replaced, whatever the widget says of it", async () => {
  for (const says of [(token) => token, () => undefined, () => ""]) {
    const browser = new Browser();
    const session = browser.tab();
    const token = await browser.wait(session.onRefreshToken(""));
    const next = await browser.wait(session.onRefreshToken(says(token)));
    assert.notEqual(next, token);
    assert.deepEqual(
      browser.service.refusals.map(({ body }) => body.rejected_token),
      [sha256(token)],
    );
  }
});

test("a widget that is behind gets the newer token without a request", async () => {
  const browser = new Browser();
  const session = browser.tab();
  const old = await browser.wait(session.onRefreshToken(""));
  const token = await browser.wait(session.onRefreshToken(old));
  assert.equal(await browser.wait(session.onRefreshToken(old)), token);
  assert.equal(browser.service.requests.length, 2);
});

test("several requests of a widget that fail together report one token once", async () => {
  const browser = new Browser();
  const session = browser.tab();
  await browser.wait(session.onRefreshToken(""));
  await browser.clock.pass(61 * MINUTE);
  const token = await browser.wait(session.onRefreshToken());
  assert.equal(await browser.wait(session.onRefreshToken()), token);
  assert.equal(browser.service.refusals.length, 0);
});

test("a storm of refusals costs the service one request, then ever fewer", async () => {
  const browser = new Browser();
  const session = browser.tab();
  let token = await browser.wait(session.onRefreshToken(""));
  const answers = new Set();
  for (let i = 0; i < 600; i++) {
    token = await browser.wait(session.onRefreshToken(token));
    answers.add(token);
    await browser.clock.pass(1_000);
  }
  assert.ok(!answers.has(""));
  assert.ok(browser.service.refusals.length <= 4, `${browser.service.refusals.length} requests`);
});

test("refusals are passed on again after a quiet time", async () => {
  const browser = new Browser();
  const session = browser.tab();
  const first = await browser.wait(session.onRefreshToken(""));
  const second = await browser.wait(session.onRefreshToken(first));
  await browser.clock.pass(5 * MINUTE);
  const third = await browser.wait(session.onRefreshToken(second));
  await browser.clock.pass(90_000);
  assert.notEqual(await browser.wait(session.onRefreshToken(third)), third);
});

test("a refused token is still handed out where no other can be had", async () => {
  const browser = new Browser();
  const session = browser.tab();
  const token = await browser.wait(session.onRefreshToken(""));
  browser.service.down = true;
  assert.equal(await browser.wait(session.onRefreshToken(token)), token);
});

test("the widget has an answer within 5 s, however slow the service is", async () => {
  const browser = new Browser();
  browser.service.latency = 12_000;
  const session = browser.tab();
  const began = browser.clock.now;
  assert.equal(await browser.wait(session.onRefreshToken("")), "");
  assert.ok(browser.clock.now - began < 5_000);
  await browser.clock.pass(8_000);
  assert.notEqual(await browser.wait(session.onRefreshToken(""), 100), "");
  assert.equal(browser.service.requests.length, 1);
});

test("what passes is tried again within the answer, and nothing else is", async () => {
  const cases = [
    ["down", 2],
    [{ status: 500, body: {} }, 2],
    [{ status: 200, body: "<html>" }, 2],
    [{ status: 200, body: { access_token: "", expires_in: 3600 } }, 2],
    [{ status: 200, body: { access_token: "czs_1", expires_in: "soon" } }, 2],
    [error(503, "temporarily_unavailable", 1), 2],
    [error(429, "slow_down", 2), 2],
    [error(429, "slow_down", 60), 1],
    [error(400, "invalid_request"), 1],
    [error(403, "access_denied"), 1],
    [error(502, "upstream_rejected"), 1],
  ];
  for (const [fault, requests] of cases) {
    const browser = new Browser();
    browser.service.faults = [fault];
    const token = await browser.wait(browser.tab().onRefreshToken(""));
    assert.equal(browser.service.requests.length, requests, JSON.stringify(fault));
    assert.equal(token !== "", requests === 2, JSON.stringify(fault));
  }
});

test("Retry-After is honoured, by every tab", async () => {
  const browser = new Browser();
  browser.service.faults = [error(429, "slow_down", 90)];
  const tabs = [browser.tab(), browser.tab()];
  await Promise.all(tabs.map((tab) => browser.wait(tab.onRefreshToken(""))));
  for (let i = 0; i < 85; i++) {
    await browser.clock.pass(1_000);
    for (const tab of tabs) assert.equal(await browser.wait(tab.onRefreshToken("")), "");
  }
  assert.equal(browser.service.requests.length, 1);
  await browser.clock.pass(5_000);
  assert.notEqual(await browser.wait(tabs[0].onRefreshToken("")), "");
});

test("an endpoint that is down is asked ever less, at last once a minute or so", async () => {
  const browser = new Browser();
  browser.service.down = true;
  const session = browser.tab();
  const flights = [];
  for (let i = 0; i < 600; i++) {
    const before = browser.service.requests.length;
    assert.equal(await browser.wait(session.onRefreshToken("")), "");
    if (browser.service.requests.length > before) flights.push(browser.clock.now);
    await browser.clock.pass(1_000);
  }
  const pauses = flights.slice(1).map((at, i) => at - flights[i]);
  assert.ok(
    pauses.slice(0, 5).every((ms, i) => i === 0 || ms > pauses[i - 1]),
    pauses.join(),
  );
  assert.ok(
    pauses.slice(6).every((ms) => ms > 45_000),
    pauses.join(),
  );
  assert.ok(browser.service.requests.length <= 5 * flights.length);
});

test("a pause for want of a network ends when it returns; one that the service asked for does not", async () => {
  for (const [fault, expected] of [
    ["down", true],
    [error(429, "slow_down", 90), false],
  ]) {
    const browser = new Browser();
    browser.service.faults = Array(9).fill(fault);
    const session = browser.tab();
    assert.equal(await browser.wait(session.onRefreshToken("")), "");
    browser.service.faults = [];
    browser.comeOnline();
    assert.equal((await browser.wait(session.onRefreshToken(""))) !== "", expected);
  }
});

test("a token that lives is served through an outage, and never past its end", async () => {
  const browser = new Browser();
  const session = browser.tab();
  const token = await browser.wait(session.onRefreshToken(""));
  browser.service.down = true;
  await browser.clock.pass(59 * MINUTE);
  assert.equal(await browser.wait(session.onRefreshToken("")), token);
  await browser.clock.pass(MINUTE);
  assert.equal(await browser.wait(session.onRefreshToken("")), "");
});

test("why there is no token is told, and no token with it", async () => {
  const browser = new Browser();
  const told = [];
  const session = browser.tab({ onError: (fault) => told.push(fault) });
  browser.service.faults = [error(429, "slow_down", 60)];
  await assert.rejects(browser.wait(session.getToken()), {
    message: "slow_down.",
    status: 429,
    code: "slow_down",
    retryAfter: 60,
    requestId: "r-1",
  });
  assert.equal(told.length, 1);
});

test("an ID token that is refused is fetched anew, once", async () => {
  const browser = new Browser();
  const asked = [];
  browser.service.refusedIdTokens.add(idTokenOf("alice", 1));
  const idToken = (force) => (asked.push(force), idTokenOf("alice", force ? 2 : 1));
  const token = await browser.wait(browser.tab({ idToken }).getToken());
  assert.equal(browser.service.tokens.get(token).name, "alice");
  assert.deepEqual(asked, [false, true, false]); // and once more: is it still them?
  browser.service.refusedIdTokens.add(idTokenOf("bob"));
  await assert.rejects(browser.wait(browser.tab({ idToken: () => idTokenOf("bob") }).getToken()), {
    status: 401,
  });
  assert.equal(browser.service.requests.length, 4);
});

test("a new sign-in of the same visitor ends the pause that the old one caused", async () => {
  const browser = new Browser();
  browser.service.refusedIdTokens.add(idTokenOf("alice", 1));
  let number = 1;
  const session = browser.tab({ idToken: async () => idTokenOf("alice", number) });
  assert.equal(await browser.wait(session.onRefreshToken("")), "");
  number = 2;
  assert.notEqual(await browser.wait(session.onRefreshToken("")), "");
});

test("a login that fails for a moment does not cost the token that lives", async () => {
  const browser = new Browser();
  let fails = false;
  const idToken = async () => (fails ? Promise.reject(new Error("offline")) : idTokenOf("alice"));
  const session = browser.tab({ idToken });
  const token = await browser.wait(session.onRefreshToken(""));
  fails = true;
  assert.equal(await browser.wait(session.onRefreshToken(token)), token);
});

test("who signs in as somebody else never gets the token of the one before", async () => {
  const browser = new Browser();
  let user = "alice";
  const session = browser.tab({ idToken: () => idTokenOf(user) });
  await browser.wait(session.getToken());
  user = "bob";
  const token = await browser.wait(session.getToken());
  assert.equal(browser.service.tokens.get(token).name, "bob");
  browser.service.down = true;
  user = "carol";
  assert.equal(await browser.wait(session.onRefreshToken("")), "");
});

test("a sign-in in the middle of a request mixes nobody up", async () => {
  const browser = new Browser();
  browser.service.latency = 500;
  let user = "alice";
  const session = browser.tab({ idToken: () => idTokenOf(user) });
  const early = session.getToken();
  await browser.clock.pass(100);
  user = "bob";
  const late = session.getToken();
  await browser.clock.pass(2_000);
  const names = (await Promise.all([early, late])).map(
    (token) => browser.service.tokens.get(token).name,
  );
  assert.deepEqual(names, ["bob", "bob"]);
});

test("sign-in carries the guest over, once, and the ticket is gone", async () => {
  const browser = new Browser();
  await browser.wait(browser.tab().ready);
  const session = browser.tab({ idToken: idTokenOf("alice") });
  const token = await browser.wait(session.getToken());
  assert.equal(browser.service.tokens.get(token).name, "guest_1");
  assert.ok(!browser.storage.has(TICKET));
  await browser.clock.pass(61 * MINUTE);
  await browser.wait(session.getToken());
  assert.deepEqual(
    browser.service.requests.map(({ body }) => body.guest_ticket),
    [undefined, "ticket-1", undefined],
  );
});

test("with carryOver off the guest stays behind", async () => {
  const browser = new Browser();
  await browser.wait(browser.tab().ready);
  const token = await browser.wait(
    browser.tab({ idToken: idTokenOf("alice"), carryOver: false }).getToken(),
  );
  assert.equal(browser.service.tokens.get(token).name, "alice");
  assert.equal(browser.storage.get(TICKET), "ticket-1");
});

test("a ticket that cannot be carried over does not keep anybody from signing in", async () => {
  for (const fault of [error(401, "invalid_token"), error(403, "access_denied")]) {
    const browser = new Browser();
    browser.storage.set(TICKET, "of another app");
    browser.service.faults = [fault];
    const token = await browser.wait(browser.tab({ idToken: idTokenOf("alice") }).getToken());
    assert.equal(browser.service.tokens.get(token).name, "alice");
    assert.ok(!browser.storage.has(TICKET));
  }
});

test("an ID token that API Gateway refuses does not cost the guest's ticket", async () => {
  const browser = new Browser();
  await browser.wait(browser.tab().ready);
  browser.service.refusedIdTokens.add(idTokenOf("alice"));
  await assert.rejects(browser.wait(browser.tab({ idToken: idTokenOf("alice") }).getToken()), {
    status: 401,
  });
  assert.equal(browser.storage.get(TICKET), "ticket-1");
});

test("the second issuer has its own route, and its visitors their own tokens", async () => {
  const browser = new Browser();
  await browser.wait(browser.tab({ idToken: idTokenOf("alice") }).getToken());
  await browser.wait(browser.tab({ idToken: idTokenOf("alice"), path: "/token/2" }).getToken());
  assert.deepEqual(
    browser.service.requests.map(({ url }) => url),
    [`${ENDPOINT}/token`, `${ENDPOINT}/token/2`],
  );
});

test("Turnstile is asked for a new guest only", async () => {
  const browser = new Browser();
  let asked = 0;
  const turnstile = async () => `human-${++asked}`;
  const session = browser.tab({ turnstile });
  await browser.wait(session.ready);
  await browser.clock.pass(61 * MINUTE);
  await browser.wait(session.getToken());
  await browser.wait(browser.tab({ turnstile, idToken: idTokenOf("alice") }).getToken());
  assert.equal(asked, 1);
  assert.equal(browser.service.requests[0].body.turnstile_token, "human-1");
});

test("a visitor who fails at Turnstile may try again soon", async () => {
  const browser = new Browser();
  let human = false;
  const turnstile = async () => (human ? "human" : Promise.reject(new Error("no human")));
  const session = browser.tab({ turnstile });
  assert.equal(await browser.wait(session.onRefreshToken("")), "");
  human = true;
  await browser.clock.pass(2_000);
  assert.notEqual(await browser.wait(session.onRefreshToken("")), "");
});

test("sign-out forgets the ticket and the token, in this tab and in the others", async () => {
  const browser = new Browser();
  const tabs = [browser.tab(), browser.tab()];
  for (const tab of tabs) await browser.wait(tab.ready);
  await tabs[0].signOut();
  await browser.clock.pass(10);
  assert.ok(!browser.storage.has(TICKET));
  for (const tab of tabs) assert.equal(await browser.wait(tab.onRefreshToken("")), "");
  assert.equal(browser.service.requests.length, 1);
  await browser.wait(browser.tab().ready);
  assert.equal(browser.service.requests.at(-1).body.guest_ticket, undefined);
});

test("sign-out does not touch another visitor's session", async () => {
  const browser = new Browser();
  const [alice, bob] = ["alice", "bob"].map((name) => browser.tab({ idToken: idTokenOf(name) }));
  for (const tab of [alice, bob]) await browser.wait(tab.ready);
  await alice.signOut();
  await browser.clock.pass(10);
  assert.notEqual(await browser.wait(bob.onRefreshToken("")), "");
});

test("a token that arrives after the sign-out is not kept, nor is its ticket", async () => {
  const browser = new Browser();
  browser.service.latency = 500;
  const session = browser.tab();
  const early = session.onRefreshToken("");
  await browser.clock.pass(100);
  await session.signOut();
  assert.equal(await browser.wait(early), "");
  assert.ok(!browser.storage.has(TICKET));
});

test("what tabs say to each other reaches nobody but the same visitor at the same service", async () => {
  const browser = new Browser();
  const alice = await browser.wait(browser.tab({ idToken: idTokenOf("alice") }).getToken());
  const others = [
    browser.tab({ idToken: idTokenOf("bob") }),
    browser.tab({ idToken: idTokenOf("alice"), path: "/token/2" }),
    browser.tab(),
  ];
  for (const tab of others) assert.notEqual(await browser.wait(tab.getToken()), alice);
});

test("neither an ID token nor a visitor's name is in what tabs say to each other, or in a lock's name", async () => {
  const browser = new Browser();
  const locks = [];
  const world = browser.world();
  const lock = (name, work) => (locks.push(name), world.lock(name, work));
  for (const idToken of [idTokenOf("alice"), "unreadable"]) {
    await browser.wait(browser.tab({ idToken }, { lock }).ready);
    const told = JSON.stringify([locks, browser.said.map(({ key }) => key)]);
    assert.ok(locks.length && !told.includes("alice") && !told.includes(idToken), told);
  }
});

test("after a carry-over no guest tab has the user's token, nor after the sign-out", async () => {
  const browser = new Browser();
  const guest = browser.tab();
  await browser.wait(guest.ready);
  const user = browser.tab({ idToken: idTokenOf("bob") });
  const token = await browser.wait(user.getToken());
  await browser.clock.pass(10);
  const later = await browser.wait(guest.getToken());
  await browser.wait(user.signOut());
  const newcomer = browser.tab();
  for (const given of [later, await browser.wait(newcomer.getToken())]) {
    assert.notEqual(given, token);
    assert.notEqual(browser.service.tokens.get(given).name, browser.service.users.get("bob"));
  }
});

test("a sign-out takes the guest's token from the other tabs as well", async () => {
  const browser = new Browser();
  const guest = browser.tab();
  const before = await browser.wait(guest.ready);
  const user = browser.tab({ idToken: idTokenOf("bob"), carryOver: false });
  await browser.wait(user.ready);
  await browser.wait(user.signOut());
  await browser.clock.pass(10);
  assert.notEqual(await browser.wait(guest.getToken()), before);
});

test("two visitors who differ in any lasting claim never share a token", async () => {
  const browser = new Browser();
  const of = (claims) =>
    [
      "e30",
      Buffer.from(JSON.stringify({ iss: "i", sub: "s", ...claims })).toString("base64url"),
      "x",
    ].join(".");
  const one = browser.tab({ idToken: of({ org_id: "A" }) });
  const other = browser.tab({ idToken: of({ org_id: "B" }) });
  await browser.wait(one.getToken());
  await browser.wait(other.getToken());
  assert.equal(browser.service.requests.length, 2);
});

test("who signs in during a single call gets their own token", async () => {
  const browser = new Browser();
  browser.service.latency = 500;
  let user = "alice";
  const given = browser.tab({ idToken: () => idTokenOf(user) }).onRefreshToken("");
  await browser.clock.pass(100);
  user = "bob";
  assert.equal(browser.service.tokens.get(await browser.wait(given)).name, "bob");
});

test("a login that says nothing for five minutes gives nobody's token", async () => {
  for (const silence of [
    () => Promise.reject(new Error("login_required")),
    () => new Promise(() => {}),
  ]) {
    const browser = new Browser();
    let idToken = () => idTokenOf("alice");
    const session = browser.tab({ idToken: () => idToken() });
    await browser.wait(session.ready);
    idToken = silence;
    await browser.clock.pass(6 * MINUTE);
    assert.equal(await browser.wait(session.onRefreshToken("")), "");
  }
});

test("an ID token that names nobody and changes with each call costs a bounded number of requests", async () => {
  const browser = new Browser();
  let number = 0;
  const session = browser.tab({ idToken: () => idTokenOf(`nobody-${number++}`) });
  await Promise.all([browser.wait(session.onRefreshToken("")), browser.wait(session.getToken())]);
  await browser.clock.pass(MINUTE);
  assert.ok(browser.service.requests.length <= 6, `${browser.service.requests.length} requests`);
});

test("a storm of refusals in several tabs costs as little as in one", async () => {
  const browser = new Browser();
  const tabs = [browser.tab(), browser.tab(), browser.tab()];
  const tokens = [];
  for (const tab of tabs) tokens.push(await browser.wait(tab.onRefreshToken("")));
  for (let i = 0; i < 240; i++) {
    for (const [n, tab] of tabs.entries())
      tokens[n] = await browser.wait(tab.onRefreshToken(tokens[n]));
    await browser.clock.pass(MINUTE);
  }
  assert.ok(
    browser.service.refusals.length <= 12,
    `${browser.service.refusals.length} requests in four hours`,
  );
});

test("a Retry-After that names no time is no reason to hurry", async () => {
  for (const retryAfter of [-5, -100, 0.001, "soon"]) {
    const browser = new Browser();
    browser.service.faults = Array(1000).fill(error(503, "temporarily_unavailable", retryAfter));
    assert.equal(await browser.wait(browser.tab().onRefreshToken("")), "");
    assert.ok(browser.service.requests.length <= 6, `${browser.service.requests.length} requests`);
  }
});

test("Retry-After holds for a login that makes a new ID token each time", async () => {
  const browser = new Browser();
  browser.service.faults = [error(429, "slow_down", 90)];
  let number = 0;
  const session = browser.tab({ idToken: () => idTokenOf("alice", number++) });
  for (let i = 0; i < 60; i++) assert.equal(await browser.wait(session.onRefreshToken("")), "");
  assert.equal(browser.service.requests.length, 1);
});

test("sign-out never rejects, however often and in however many tabs", async () => {
  const browser = new Browser();
  const tabs = [browser.tab(), browser.tab()];
  for (const tab of tabs) await browser.wait(tab.ready);
  for (const tab of [...tabs, ...tabs]) await browser.wait(tab.signOut());
});

test("sign-out forgets at once, also where the login never answers", async () => {
  const browser = new Browser();
  browser.storage.set(TICKET, "ticket-0");
  const session = browser.tab({ idToken: () => new Promise(() => {}) });
  const done = session.signOut();
  assert.ok(!browser.storage.has(TICKET));
  await browser.wait(done, 2_000);
});

test("a slow first answer is not the last word of ready", async () => {
  const browser = new Browser();
  browser.service.latency = 7_000;
  assert.notEqual(await browser.wait(browser.tab().ready, 20_000), "");
  const late = new Browser();
  late.service.faults = Array(6).fill("down");
  const session = late.tab();
  assert.equal(await late.wait(session.ready), "");
  late.service.faults = [];
  await late.clock.pass(3_000);
  assert.notEqual(await late.wait(session.ready), "");
});

test("a challenge that nobody solves does not hold the session for ever", async () => {
  const browser = new Browser();
  let solved = false;
  const turnstile = () => (solved ? "human" : new Promise(() => {}));
  const session = browser.tab({ turnstile });
  assert.equal(await browser.wait(session.onRefreshToken("")), "");
  solved = true;
  await browser.clock.pass(65_000);
  assert.notEqual(await browser.wait(session.onRefreshToken("")), "");
});

test("a fault of the page's own function is told as it is and stops no other tab", async () => {
  const browser = new Browser();
  const fault = Object.assign(new Error("no human"), { retry() {} });
  const told = [];
  const tab = browser.tab({
    turnstile: () => Promise.reject(fault),
    onError: (error) => told.push(error),
  });
  await assert.rejects(browser.wait(tab.getToken()), (error) => error === fault);
  assert.deepEqual(told, [fault]);
  assert.notEqual(await browser.wait(browser.tab().onRefreshToken("")), "");
});

test("a guest's ticket goes to the endpoint that wrote it, and to no other", async () => {
  const browser = new Browser();
  await browser.wait(browser.tab().ready);
  const other = browser.tab({ endpoint: "https://other.example.com" });
  await browser.wait(other.onRefreshToken(""));
  const { url, body } = browser.service.requests[1];
  assert.deepEqual([url, body.guest_ticket], ["https://other.example.com/guest/token", undefined]);
  assert.equal(browser.storage.get(TICKET), "ticket-1");
});

test("one answer costs the service at most five requests", async () => {
  const browser = new Browser();
  browser.chance = () => 0;
  browser.service.down = true;
  assert.equal(await browser.wait(browser.tab().onRefreshToken("")), "");
  assert.equal(browser.service.requests.length, 5);
});

test("a carry-over at the second issuer leaves guest tabs nothing, either", async () => {
  const browser = new Browser();
  const guest = browser.tab();
  await browser.wait(guest.ready);
  const user = browser.tab({ idToken: idTokenOf("bob"), path: "/token/2" });
  const session = browser.service.tokens.get(await browser.wait(user.getToken())).name;
  await browser.clock.pass(10);
  const later = await browser.wait(guest.getToken());
  assert.notEqual(browser.service.tokens.get(later).name, session);
});

test("the sign-out of a session that was never used ends nobody else's", async () => {
  const browser = new Browser();
  const idToken = async () => (await browser.clock.sleep(1_000), idTokenOf("bob"));
  const other = browser.tab({ idToken }).getToken();
  await browser.wait(browser.tab({ idToken: idTokenOf("alice") }).signOut());
  assert.equal(browser.service.tokens.get(await browser.wait(other)).name, "bob");
});

test("a tab that slept through a sign-out or a carry-over leaves the next guest's ticket alone", async () => {
  for (const options of [{}, { idToken: idTokenOf("alice") }]) {
    const browser = new Browser();
    const world = browser.world();
    let asleep = true;
    const channel = (hear) =>
      world.channel(async (message) => {
        while (asleep) await browser.clock.sleep(1_000);
        hear(message);
      });
    await browser.wait(browser.tab({}, { channel }).ready);
    const tab = browser.tab(options);
    await browser.wait(tab.ready);
    if (!options.idToken) await browser.wait(tab.signOut());
    await browser.wait(browser.tab().ready);
    const ticket = browser.storage.get(TICKET);
    assert.ok(ticket);
    asleep = false;
    await browser.clock.pass(2_000);
    assert.equal(browser.storage.get(TICKET), ticket);
  }
});

test("a session that another tab signed out can sign out who came after", async () => {
  const browser = new Browser();
  const tabs = [1, 2].map(() => browser.tab({ idToken: idTokenOf("alice") }));
  for (const tab of tabs) await browser.wait(tab.ready);
  await browser.wait(tabs[0].signOut());
  const again = browser.tab({ idToken: idTokenOf("alice") });
  await browser.wait(again.ready);
  await browser.wait(tabs[1].signOut());
  await browser.clock.pass(10);
  for (const tab of [...tabs, again]) assert.equal(await browser.wait(tab.onRefreshToken("")), "");
});
