"""Which base URLs are acceptable, and the audience that each stands for."""

import pytest
from coze_sts.api_base import audience, parse_api_base
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import CANARY, everything_told


@pytest.mark.parametrize(
    ("value", "base", "aud"),
    [
        ("https://api.coze.cn", "https://api.coze.cn", "api.coze.cn"),
        (" HTTPS://API.Coze.com/ \n", "https://api.coze.com", "api.coze.com"),
        ("https://api.coze.cn:443", "https://api.coze.cn", "api.coze.cn"),
        ("https://proxy.example:8443/", "https://proxy.example:8443", "proxy.example:8443"),
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000", "127.0.0.1:4000"),
        ("http://localhost:80", "http://localhost", "localhost"),
        ("http://[::1]:4000", "http://[::1]:4000", "[::1]:4000"),
        ("http://host.docker.internal:4000", "http://host.docker.internal:4000", None),
        ("http://172.17.0.1:4000", "http://172.17.0.1:4000", None),
    ],
)
def test_the_audience_is_the_host_header_that_a_request_there_carries(
    value: str, base: str, aud: str | None
) -> None:
    assert parse_api_base(value) == base
    assert audience(base) == (aud or base.removeprefix("http://"))


@pytest.mark.parametrize(
    "value",
    [
        "http://api.coze.cn",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://0.0.0.0",
    ],
)
def test_plain_http_leaves_neither_this_machine_nor_a_container(value: str) -> None:
    with pytest.raises(ValueError, match="must use https"):
        parse_api_base(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "api.coze.cn",
        "//api.coze.cn",
        "ftp://api.coze.cn",
        "https://",
        "https://:443",
        "https://api.coze.cn:0",
        "https://api.coze.cn:65536",
        "https://api.coze.cn:port",
        "https://user:password@api.coze.cn",
        "https://api.coze.cn\\.example.com",
        "https://api coze.cn",
        "https://api.coze.cn/api",
        "https://api.coze.cn?x=1",
        "https://api.coze.cn#x",
        f"https://[{CANARY}]",
        f"https://[::1{CANARY}",
        f"https://{CANARY}\u2100",  # urllib's own message would quote it
    ],
)
def test_anything_but_a_bare_host_is_refused_without_being_repeated(value: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a ") as refused:
        parse_api_base(value)
    assert CANARY not in everything_told(refused.value)


@given(
    st.from_regex(
        r"(?i)https?://([a-z0-9.-]{1,20}|\[[0-9a-f:]{2,9}\]|127\.0\.0\.1)(:[0-9]{1,6})?/{0,2}",
        fullmatch=True,
    )
    | st.text()
)
def test_what_was_accepted_once_is_accepted_again_and_stays_the_same(value: str) -> None:
    try:
        base = parse_api_base(value)
    except ValueError:
        return
    assert parse_api_base(base) == base
    assert base.endswith("://" + audience(base))
