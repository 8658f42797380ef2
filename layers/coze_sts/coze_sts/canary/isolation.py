"""Two sessions at Coze: each has a conversation, and neither sees the other's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from coze_sts.canary.coze_api import CozeApi, Reply
from coze_sts.canary.finding import Finding, Outcome
from coze_sts.web import NoAnswer

LISTS = "each session lists its own conversations only"
READS = ("session 1 cannot read session 2's messages", "session 2 cannot read session 1's messages")
CHECKS = (LISTS, *READS)


class CannotTell(Exception):
    """Something that has to work first does not; the text says what."""


def not_tried(reason: str, *, outcome: Outcome = Outcome.NOT_TRIED) -> list[Finding]:
    """All checks of this module, for the one reason that none could be made."""
    return [Finding(check=check, outcome=outcome, reason=reason) for check in CHECKS]


def kept_apart(coze: CozeApi, tokens: Sequence[str]) -> Iterator[Finding]:
    """Tries it with the tokens of two sessions."""
    try:
        lists = _conversations(coze, tokens)
    except (CannotTell, NoAnswer) as failure:
        yield from not_tried(_said(failure), outcome=Outcome.UNKNOWN)
        return
    yield _listed(lists)
    readers = zip(READS, tokens, reversed(tokens), reversed(lists), strict=True)
    for check, token, owner, ids in readers:
        yield _read(coze, check=check, token=token, owner=owner, conversation_id=ids[0])


def _conversations(coze: CozeApi, tokens: Sequence[str]) -> list[list[str]]:
    """The ids that each session lists; one that has none gets its first, for good."""
    lists = [_ids(coze.conversations(token)) for token in tokens]
    if all(lists):
        return lists
    for token, ids in zip(tokens, lists, strict=True):
        if not ids:
            _granted(coze.create(token))
    lists = [_ids(coze.conversations(token)) for token in tokens]
    if not all(lists):
        raise CannotTell("Coze does not list a conversation that it created")
    return lists


def _ids(reply: Reply) -> list[str]:
    data = _granted(reply).data
    listed = data.get("conversations") if isinstance(data, dict) else None
    return [str(each["id"]) for each in listed or [] if isinstance(each, dict) and "id" in each]


def _granted(reply: Reply) -> Reply:
    if not reply.granted:
        raise CannotTell(str(reply))
    return reply


def _listed(lists: list[list[str]]) -> Finding:
    if set(lists[0]) & set(lists[1]):
        return Finding(
            check=LISTS, outcome=Outcome.BROKEN, reason="both list the same conversation"
        )
    return Finding(check=LISTS, outcome=Outcome.PASSED, reason="neither lists the other's")


def _read(coze: CozeApi, *, check: str, token: str, owner: str, conversation_id: str) -> Finding:
    """The owner reads first: where there is nothing to read, nothing is proved."""
    try:
        there = _granted(coze.messages(owner, conversation_id)).data
        reply = coze.messages(token, conversation_id)
    except (CannotTell, NoAnswer) as failure:
        return Finding(check=check, outcome=Outcome.UNKNOWN, reason=_said(failure))
    outcome = Outcome.PASSED if there else Outcome.NOT_TRIED
    if reply.granted and reply.data:
        outcome = Outcome.BROKEN
    elif reply.tells_nothing:
        outcome = Outcome.UNKNOWN
    owned = "" if there else ", and shows its owner no message either"
    return Finding(check=check, outcome=outcome, reason=f"{reply}{owned}")


def _said(failure: CannotTell | NoAnswer) -> str:
    return str(failure) if isinstance(failure, CannotTell) else f"no answer ({failure})"
