"""Where Coze's API is: which base URLs are acceptable, and the audience that each stands for."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

_CONTAINER_HOSTS = frozenset(
    {"localhost", "host.docker.internal", "host.containers.internal", "172.17.0.1"}
)


def parse_api_base(value: str) -> str:
    """Returns `https://host[:port]` without a trailing slash.

    Plain http is accepted only for this machine and for the host of a container, where a
    stand-in may run. Raises ValueError with a sentence that does not repeat the value.
    """
    parts = urlsplit(value.strip().rstrip("/"))
    host = parts.hostname
    if parts.scheme not in ("https", "http") or not host or not _has_valid_port(parts.netloc):
        raise ValueError("must be a URL such as https://api.coze.cn")
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be a bare host such as https://api.coze.cn, with no path")
    if parts.scheme == "http" and not _is_local(host):
        raise ValueError("must use https; http is for this machine and for container hosts only")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def audience(api_base: str) -> str:
    """The `aud` of an assertion: the API host without a scheme, as Coze's SDKs send it."""
    return urlsplit(api_base).netloc


def _has_valid_port(netloc: str) -> bool:
    try:
        return urlsplit(f"//{netloc}").port != 0
    except ValueError:
        return False


def _is_local(host: str) -> bool:
    if host in _CONTAINER_HOSTS:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
