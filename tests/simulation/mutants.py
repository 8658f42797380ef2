"""Each condition of the table and each check of the core, to be taken away in turn."""

from dataclasses import dataclass

CACHE = "coze_sts.cache."
TABLE = "tests.simulation.table"
PERFORMER = "coze_sts.performer"


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """`old` stands just once in `module`, and `new` takes its place."""

    name: str
    module: str
    old: str
    new: str


def _mutants(module: str, *changes: tuple[str, str, str]) -> list[Mutant]:
    return [Mutant(name=name, module=module, old=old, new=new) for name, old, new in changes]


_RETRY = "        return (yield from self.post(self._left()))\n\n"

MUTANTS = [
    *_mutants(
        TABLE,
        ("ACQUIRE: no lease", "return row.lease_id is None", "return True"),
        ("ACQUIRE: dead lease", "return row.lease_id == over", "return True"),
        (
            "ACQUIRE: token is due",
            "return row.sealed is None or row.sealed.refresh_at <= int(now)",
            "return True",
        ),
        ("ACQUIRE: no lease since", "return row.gen == seen_gen", "return True"),
        ("ACQUIRE: each lease counts", "gen=row.gen + 1", "gen=row.gen"),
        (
            "ACQUIRE: back-off is over",
            "return row.retry_at <= now_ms or row.retry_at > now_ms + ABSURD_MS",
            "return True",
        ),
        ("ACQUIRE: absurd back-off", " or row.retry_at > now_ms + ABSURD_MS", ""),
        (
            "COMPLETE, FAIL: lease is mine",
            "if row is None or row.lease_id != lease_id:",
            "if row is None:",
        ),
        (
            "COMPLETE: what is there is mine",
            "if refused.row is None or refused.row.sealed != sealed:",
            "if True:",
        ),
        (
            "HOLD: only a longer one",
            "if isinstance(found, FleetHold) and hold.until <= found.until <= absurd:",
            "if False:",
        ),
        (
            "HOLD: over an absurd one",
            "hold.until <= found.until <= absurd:",
            "hold.until <= found.until:",
        ),
        (
            "PROBE: nobody else did",
            "if not isinstance(found, FleetHold) or found.until != seen_until:",
            "if not isinstance(found, FleetHold):",
        ),
    ),
    *_mutants(
        CACHE + "decision",
        ("FRESH is served", "if seen.token is not None and phase is State.FRESH:", "if False:"),
        (
            "storms are refused",
            "        refuse_storm(seen.token, now=now)",
            "        pass",
        ),
        ("only the forced count as storm", "if token.forced and wait > 0:", "if wait > 0:"),
        ("a lease makes others wait", "busy = seen.lease_id is not None and", "busy = False and"),
        (
            "STALE is served meanwhile",
            "if seen.token is not None and phase is State.STALE and busy:",
            "if False:",
        ),
        ("a back-off is a back-off", "if seen.exhausted or back_off:", "if False:"),
        (
            "GRACE in a back-off",
            "if usable := usable_token(seen, now=now, rejected=rejected):",
            "if (usable := None):",
        ),
        (
            "rejected is INVALID",
            "return State.INVALID if refused else state(seen.token, now=now)",
            "return state(seen.token, now=now)",
        ),
        (
            "rejected is never usable",
            "if token is None or is_rejected(token, rejected) or not outlives",
            "if token is None or not outlives",
        ),
        (
            "GRACE ends 5 s before the end",
            "is_rejected(token, rejected) or not outlives(token, now=now):",
            "is_rejected(token, rejected):",
        ),
        ("dead after 2 s of grace", "left < -TAKE_OVER_SECONDS", "left < 0"),
        ("a lease ever dies", "left < -TAKE_OVER_SECONDS or ", ""),
        ("an absurd lease is dead", " or left > LEASE_SECONDS + TAKE_OVER_SECONDS", ""),
        ("the row's back-off", "(seen.retry_at, seen.hold_until)", "(seen.hold_until,)"),
        ("the fleet's hold", "(seen.retry_at, seen.hold_until)", "(seen.retry_at,)"),
        (
            "an absurd back-off is none",
            "if 0 < s <= MAX_BACK_OFF_SECONDS + TAKE_OVER_SECONDS",
            "if 0 < s",
        ),
        ("over a dead lease", "Lead(over=seen.lease_id,", "Lead(over=None,"),
        ("damage is due", "unconditional = refused or seen.damaged", "unconditional = refused"),
        (
            "rejected is due",
            "unconditional = refused or seen.damaged",
            "unconditional = seen.damaged",
        ),
    ),
    *_mutants(
        CACHE + "lease",
        ("a pause after a lost race", "and not stood_back and", "and"),
        ("no lease without time for it", " and self._lease_fits(now):", ":"),
        (
            "a lease within its request",
            "min(now + LEASE_SECONDS, self.deadline - MARGIN_SECONDS)",
            "now + LEASE_SECONDS",
        ),
        ("a wait of 4 s", "now + pause <= waiting_since + WAIT_SECONDS and ", ""),
        ("a wait within its request", " and self.in_time(after=pause)", ""),
        ("STALE does not wait", " or (isinstance(decision, Lead) and self.renews(seen))", ""),
        (
            "own lease on refusal",
            "isinstance(answer, Refused) and row.lease_id != lease_id",
            "isinstance(answer, Refused)",
        ),
        (
            "the hold is kept in mind",
            "row = replace(row, hold_until=seen.hold_until, hold_error=seen.hold_error)",
            "pass",
        ),
        (
            "what is known before Coze",
            "if self.usable(known) is not None or not (yield Spend()):",
            "if not (yield Spend()):",
        ),
        (
            "the allowance",
            "if self.usable(known) is not None or not (yield Spend()):",
            "if self.usable(known) is not None:",
        ),
        (
            "fail open",
            "        return (yield from self._without_table(known))",
            "        return self._serve_or_refuse(known)",
        ),
        ("a storm without the table", "forced=self.rejected is not None", "forced=False"),
    ),
    *_mutants(
        CACHE + "leader",
        (
            "calls in time",
            "return self.clock() + after + TABLE_SECONDS <= self.deadline + MARGIN_SECONDS",
            "return True",
        ),
        ("a renewal is brief", "min(self._left(), RENEWAL_SECONDS)", "self._left()"),
        ("a renewal is tried once", "        if self.renews(seen):", "        if False:"),
        ("a miss has time", "        if self.renews(seen):", "        if True:"),
        ("a worn-out token is none", "if not outlives(token, now=self.clock()):", "if False:"),
        ("no exchange without time", "if seconds < MIN_POST_SECONDS:", "if False:"),
        ("GRACE after a failure", "            if usable is None:\n", "            if True:\n"),
        ("forced is marked", "forced=is_rejected(seen.token, self.rejected)", "forced=False"),
        ("the hold is lifted", "yield Hold(until=0, error=None)", "pass"),
        (
            "one try of a bad key",
            "if seen.hold_error == UNKNOWN_KEY and not (yield from self._may_probe(seen)):",
            "if False:",
        ),
        ("no retry of a refusal", " or not answer.error.retryable:", ":"),
        (
            "one retry",
            _RETRY,
            "        _ = yield from self.post(self._left())\n" + _RETRY,
        ),
        (
            "a retry at all",
            "if isinstance(answer, AccessToken) or not answer.error.retryable:",
            "if True:",
        ),
        (
            "Retry-After before a retry",
            "pause = max(answer.retry_after, self.rng.uniform(0, 0.3))",
            "pause = self.rng.uniform(0, 0.3)",
        ),
        ("a retry that fits", "if self._left() - pause < MIN_POST_SECONDS:", "if False:"),
        (
            "a POST of 8 s",
            "min(POST_SECONDS, self.lease_until / 1000 - self.clock() - WRITE_SECONDS)",
            "self.lease_until / 1000 - self.clock() - WRITE_SECONDS",
        ),
        ("time to write", " - self.clock() - WRITE_SECONDS)", " - self.clock())"),
        ("only one probes", "return answer is not Table.FENCED", "return True"),
        (
            "a probe lasts a minute",
            "until = int((self.clock() + PROBE_SECONDS) * 1000)",
            "until = int(self.clock() * 1000)",
        ),
        ("a second write", "if answer is Table.FAILED and self.in_time():", "if False:"),
        (
            "the lease is given up",
            "yield Fail(lease_id=self.lease_id, retry_at=retry_at, error=error)",
            "pass",
        ),
        (
            "back-off",
            "seconds = min(max(back_off, failed.retry_after), MAX_BACK_OFF_SECONDS)",
            "seconds = 0",
        ),
        ("Retry-After is noted", "max(back_off, failed.retry_after)", "back_off"),
        (
            "back-off of a minute",
            "min(60, 2 ** min(seen.fail_n + 1, 6))",
            "2 ** min(seen.fail_n + 1, 60)",
        ),
        ("the fleet is told", "if failed.hold_seconds and self.in_time():", "if False:"),
    ),
    *_mutants(
        CACHE + "memory",
        ("memory forgets", "if now >= until:", "if token is None:"),
        ("FRESH in memory", "min(now + FRESH_SECONDS, token.refresh_at)", "now + FRESH_SECONDS"),
        ("STALE in memory", "if stale else LAST_SECONDS", "if False else LAST_SECONDS"),
        ("GRACE in memory", "if stale else LAST_SECONDS", "if stale else 0"),
    ),
    *_mutants(
        PERFORMER,
        (
            "a hold for an old key",
            "hold is None or (hold.error == UNKNOWN_KEY and not self._signs_with(hold.kid))",
            "hold is None",
        ),
        (
            "damage that was sealed",
            "damaged = row.sealed_damaged or (row.sealed is not None and token is None)",
            "damaged = row.sealed_damaged",
        ),
        (
            "a shape that is not ours",
            "            self.store.forget(self.pk)\n",
            "            pass\n",
        ),
        (
            "a hold beside damage",
            "        seen = self._with_hold(ops.Seen(), hold)\n",
            "        seen = ops.Seen()\n",
        ),
        (
            "no lease on damage",
            "return ops.Refused(seen=seen) if isinstance(operation, ops.Acquire) else seen",
            "return seen",
        ),
    ),
]
