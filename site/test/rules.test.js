import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { identity, isShort, muteMs, pauseMs, retryMs } from "../src/rules.js";
import { digest } from "../src/digest.js";
import { failure } from "../src/service.js";
import { between, left } from "../src/time.js";
import { idTokenOf, sha256 } from "./service.js";

const ms = fc.integer({ min: -1e12, max: 1e13 });
const instant = fc.record({ wall: ms, steady: ms });
const chance = fc.double({ min: 0, max: 1, noNaN: true });

test("time never runs backwards, and the clock that went further counts", () => {
  fc.assert(
    fc.property(instant, instant, (from, to) => {
      const passed = between(from, to);
      assert.ok(passed >= 0 && passed >= to.wall - from.wall && passed >= to.steady - from.steady);
    }),
  );
});

test("a span has at most its length left, and nothing after it", () => {
  fc.assert(
    fc.property(instant, instant, fc.nat(1e8), (at, now, length) => {
      const rest = left({ at, ms: length }, now);
      assert.ok(rest >= 0 && rest <= length);
      assert.equal(rest === 0, between(at, now) >= length);
    }),
  );
});

test("a token that just came is not short, however little it lives", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 86_400_000 }), instant, (length, at) => {
      assert.ok(!isShort({ at, ms: length, token: "czs_1" }, at));
    }),
  );
});

test("pauses are positive, at most an hour, and longer after more failures", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(0, 200, 400, 403, 429, 500, 502, 503),
      fc.option(fc.integer({ min: 1, max: 3600 })),
      fc.nat(50),
      chance,
      (status, retryAfter, failures, luck) => {
        const fault = failure("", { status, retryAfter: retryAfter ?? undefined });
        const pause = pauseMs(fault, failures, luck);
        assert.ok(pause > 0 && pause <= 3_600_000);
        assert.ok(retryAfter === null || pause === retryAfter * 1000);
        assert.ok(pauseMs(fault, failures + 1, luck) >= pause);
        assert.ok(retryMs(fault, failures, luck) >= 0);
      },
    ),
  );
});

test("refusals are muted for longer each time, and never for more than 64 minutes", () => {
  fc.assert(
    fc.property(fc.nat(1000), (refusals) => {
      assert.ok(muteMs(refusals) <= muteMs(refusals + 1) && muteMs(refusals) <= 64 * 60_000);
    }),
  );
});

test("two visitors never have one identity, and a visitor's new ID token does not change theirs", () => {
  const name = fc.string({ minLength: 1, unit: "binary" });
  fc.assert(
    fc.property(name, name, fc.nat(), fc.nat(), (one, other, first, second) => {
      const who = identity("https://a/token", idTokenOf(one, first));
      assert.equal(who, identity("https://a/token", idTokenOf(one, second)));
      assert.equal(who === identity("https://a/token", idTokenOf(other, second)), one === other);
      assert.notEqual(who, identity("https://b/token", idTokenOf(one, first)));
      assert.notEqual(who, identity("https://a/token", ""));
    }),
  );
});

test("an ID token that cannot be read is its own identity", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (one, other) => {
      assert.equal(identity("u", one) === identity("u", other), one === other);
    }),
  );
});

test("a digest is the SHA-256 in lower-case hexadecimal", async () => {
  assert.equal(await digest("czs_1"), sha256("czs_1"));
});
