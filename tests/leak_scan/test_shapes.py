"""Secrets are found in the shapes that public pages use, and what is no secret is left alone."""

from __future__ import annotations

import io

import pytest
from coze_leak_scan.scan import scan

from tests.leak_scan import made_up
from tests.leak_scan.shapes import HARMLESS, SHAPES, render


def found(text: str | bytes) -> list[tuple[int, int, str]]:
    data = text.encode() if isinstance(text, str) else text
    return [(hit.line, hit.column, hit.rule) for hit in scan(io.BytesIO(data), path="a")]


@pytest.mark.parametrize("name", SHAPES)
def test_each_secret_of_a_page_is_found_where_it_stands_and_once(name: str) -> None:
    text, expected = render(SHAPES[name])
    assert expected
    assert found(text) == expected


@pytest.mark.parametrize("name", SHAPES)
def test_a_page_without_its_secrets_is_clean(name: str) -> None:
    template = SHAPES[name]
    for kind in ("TOKEN", "SERVICE", "WORKLOAD", "HEAD"):
        template = template.replace(f"@{kind}@", "pat_********")
    kept = {"NEXT_PUBLIC", "VITE"}
    parts = [part for part in template.split("@") if part not in kept]
    assert found("_".join(parts)) == []


@pytest.mark.parametrize("name", HARMLESS)
def test_placeholders_and_names_are_no_leak(name: str) -> None:
    assert found(HARMLESS[name]) == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "gb18030"])
def test_a_secret_is_found_in_any_encoding(encoding: str) -> None:
    text = f"const 上='上';\nconst 令牌='{made_up.token()}';\n{made_up.pem()}"
    rules = [rule for _, _, rule in found(text.encode(encoding))]
    assert rules == ["coze-token", "private-key"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_a_line_counts_as_an_editor_counts_it(encoding: str) -> None:
    text = f"a上\n上Ċ上\n{'上' * 5}{made_up.token()}"
    ((line, column, _),) = found(text.encode(encoding))
    mark = 1 if encoding == "utf-16" else 0
    assert (line, column - mark * (line == 1)) == (3, 6)


@pytest.mark.parametrize(
    "kind", ["Ed25519", "EC", "OpenSSH", "with a password", "PKCS #1 with a password"]
)
def test_a_private_key_of_another_kind_is_found(kind: str) -> None:
    assert found(made_up.other_pem(kind)) == [(1, 1, "private-key")]


def test_a_token_of_the_usual_length_is_found_even_if_it_has_no_digit() -> None:
    letters = "".join(letter for letter in made_up.letters(90) if letter.isalpha())[:64]
    assert found(f"'pat_{letters}'") == [(1, 2, "coze-token")]


def test_each_of_two_tokens_in_lines_of_base64_is_found_once() -> None:
    encoded = made_up.base64_of(f"{made_up.token()} and {made_up.token(seed=2)}")
    lines = "\n    ".join(encoded[start : start + 40] for start in range(0, len(encoded), 40))
    assert len(found(lines)) == 2


def test_a_source_map_inside_a_script_is_read() -> None:
    text, _ = render("//# sourceMappingURL=data:application/json;base64,@SOURCE_64@")
    ((line, _, rule),) = found(text)
    assert (line, rule) == (1, "coze-token")


@pytest.mark.parametrize("skipped", range(6))
@pytest.mark.parametrize("prefix", made_up.PREFIXES)
def test_base64_is_read_wherever_its_groups_begin(prefix: str, skipped: int) -> None:
    encoded = made_up.base64_of("é" * 20 + "-" * skipped + made_up.token(prefix, length=65))
    assert [rule for _, _, rule in found(f"atob('{encoded}')")] == ["coze-token"]


@pytest.mark.parametrize("width", [64, 76])
def test_base64_in_lines_is_read(width: int) -> None:
    encoded = made_up.base64_of(made_up.pem())
    lines = "\n  ".join(encoded[start : start + width] for start in range(0, len(encoded), width))
    assert [rule for _, _, rule in found(f"key: |\n  {lines}\n")] == ["private-key"]
