"""A secret is found wherever it stands and never printed; a placeholder is never one."""

from __future__ import annotations

import io
import string

import pytest
from coze_leak_scan.hit import Finding
from coze_leak_scan.messages import MESSAGES
from coze_leak_scan.report import Outcome, as_json, as_text
from coze_leak_scan.scan import scan
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.leak_scan import made_up
from tests.leak_scan.shapes import SHAPES, render

CHUNK, REACH = 1024, 1024

prefixes = st.sampled_from(made_up.PREFIXES)
tokens = st.builds(
    lambda prefix, seed: made_up.token(prefix, seed=seed), prefixes, st.integers(0, 2**32)
)
surroundings = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(str.encode),
    st.text(made_up.LETTERS + " _-\\\"'+", max_size=90).map(str.encode),
)
amounts = st.integers(0, 3 * CHUNK)


def found(data: bytes) -> list[Finding]:
    return list(scan(io.BytesIO(data), path="a", chunk=CHUNK, reach=REACH))


def printed(findings: list[Finding]) -> str:
    outcome = Outcome(files=1, findings=findings)
    return "".join(
        report(outcome, language=language) for language in MESSAGES for report in (as_text, as_json)
    )


def pieces(secret: str) -> set[str]:
    """What gives some of a secret away: any eight characters of it, without its prefix."""
    body = secret.partition("_")[2]
    return {body[start : start + 8] for start in range(len(body) - 7)}


@given(token=tokens, before=surroundings, after=surroundings, lead=amounts, trail=amounts)
def test_a_token_is_found_wherever_it_stands_and_not_printed(
    token: str, before: bytes, after: bytes, lead: int, trail: int
) -> None:
    assume(any(letter.isdigit() for letter in token))
    head = b" " * lead + before
    findings = found(head + token.encode() + after + b" " * trail)
    line = head.count(b"\n") + 1
    column = 1 + sum(byte & 0xC0 != 0x80 for byte in head[head.rfind(b"\n") + 1 :])
    if not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        assert (line, column, "coze-token") in {hit[1:4] for hit in findings}
    assert "coze-token" in {hit.rule for hit in findings}
    assert not any(piece in printed(findings) for piece in pieces(token))


@given(token=tokens, text=st.text(max_size=200), lead=amounts, order=st.sampled_from(["le", "be"]))
def test_a_token_is_found_in_utf_16(token: str, text: str, lead: int, order: str) -> None:
    assume(any(letter.isdigit() for letter in token))
    data = f"\ufeff{' ' * lead}{text} {token} ".encode(f"utf-16-{order}", "surrogatepass")
    (hit,) = found(data)
    assert hit.rule == "coze-token"


@pytest.mark.parametrize("name", SHAPES)
def test_no_shape_of_a_secret_is_printed(name: str) -> None:
    text, _ = render(SHAPES[name])
    shown = printed(found(text.encode()))
    secrets = [made_up.token(prefix) for prefix in made_up.PREFIXES] + [
        "_" + made_up.body(made_up.pem(form)) for form in made_up.FORMATS
    ]
    secrets += ["_" + made_up.letters(48), "_" + made_up.base64_of(made_up.token())]
    assert not any(piece in shown for secret in secrets for piece in pieces(secret))


words = st.sampled_from(["Your", "Coze", "Token", "Here", "Access", "Personal", "xxx", "Example"])
placeholders = st.one_of(
    st.builds(
        lambda letter, count: letter * count, st.characters(codec="utf-8"), st.integers(0, 90)
    ),
    st.builds(lambda start: (made_up.LETTERS * 3)[start : start + 64], st.integers(0, 61)),
    st.builds(lambda start: (string.hexdigits * 9)[start : start + 64], st.integers(0, 21)),
    st.lists(words, min_size=1, max_size=14).map("".join),
    st.lists(words, min_size=1, max_size=14).map("_".join),
    st.text("abcdefghijklmnopqrstuvwxyz_", max_size=90),
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", max_size=90),
    st.text("xX*.…<>{}-", max_size=90),
    st.text(made_up.LETTERS, max_size=31),
)


@given(prefix=prefixes, placeholder=placeholders, quote=st.sampled_from(["", "'", '"', "`", " "]))
def test_a_placeholder_is_no_leak(prefix: str, placeholder: str, quote: str) -> None:
    assert found(f"token: {quote}{prefix}{placeholder}{quote}\n".encode()) == []


def test_a_secret_across_the_border_of_two_reads_is_found_once_and_in_its_place() -> None:
    for lead in range(2 * CHUNK - 100, 2 * CHUNK + 100):
        data = b"\n" * 9 + b"." * lead + made_up.token().encode() + b"\n" * (3 * CHUNK)
        assert [hit[1:4] for hit in found(data)] == [(10, lead + 1, "coze-token")]


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("lead", [0, CHUNK - 40, 2 * CHUNK - 10, 30_000])
def test_a_page_is_read_alike_wherever_the_borders_are(name: str, lead: int) -> None:
    text, expected = render("\n" * lead + SHAPES[name])
    small = scan(io.BytesIO(text.encode()), path="a", chunk=4096, reach=16384)
    assert [hit[1:4] for hit in small] == expected
