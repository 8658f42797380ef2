"""What must hold: the invariants by their numbers in the design, and its tables by their names."""

RULES = {
    "1": "a token returned for a session was issued for it",
    "2": "no token is returned in its last seconds, and before min_left only in trouble",
    "3": "each lease accepts at most one answer",
    "4": "leased exchanges for one session never overlap, and end within their lease",
    "5": "Coze is asked no more often than tokens wear out",
    "6": "no write by a lease changes a row after another lease was granted",
    "7": "expires_at never decreases but for a forced renewal",
    "8": "no exchange is granted while the row is FRESH",
    "9": "no request waits on a lease that it holds",
    "10": "no row blocks a session once the faults are over",
    "11": "every request ends before remaining − 0.5 s",
    "12": "a failed renewal never changes what the caller would have got",
    "13": "a token in hand is never thrown away because a write failed",
    "14": "an altered row is a miss, never another token",
    "15": "jti and nonce never repeat",
    "16": "an identity has one session, and no other identity has it",
    "17": "a key that Coze does not know costs one try a minute",
    "18": "no request fails that would succeed with either key",
    "back-off": "Coze's wish for fewer requests is obeyed by the whole fleet",
    "retry": "one retry in a lease, only on a miss and only where it may help",
    "wait": "nobody waits longer than 4 s for another's exchange",
    "fail open": "a table that fails costs nobody a token, within a process's allowance",
    "crash": "the core raises nothing but its own errors",
}


class Violation(AssertionError):
    """A rule that did not hold; the message names it."""

    def __init__(self, rule: str, what: str) -> None:
        kind = "invariant" if rule.isdigit() else "rule"
        super().__init__(f"{kind} {rule} ({RULES[rule]}): {what}")
        self.rule = rule


def check(rule: str, holds: bool, what: str) -> None:
    """Raises Violation where `holds` is false."""
    if not holds:
        raise Violation(rule, what)
