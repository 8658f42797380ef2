"""Where Coze's API is: which base URLs are acceptable, and the audience that each stands for."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

_CONTAINER_HOSTS = frozenset(
    {"localhost", "host.docker.internal", "host.containers.internal", "172.17.0.1"}
)
_DEFAULT_PORTS = {"https": 443, "http": 80}
_BASE = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>[/?#].*)?"
)


def parse_api_base(value: str) -> str:
    """Returns `https://host[:port]` in lower case, without a slash or a needless port.

    Plain http is accepted only for this machine and for the host of a container, where a
    stand-in may run. Raises ValueError with a sentence that does not repeat the value.
    """
    parts = _BASE.fullmatch(value.strip().lower())
    if parts is None or not _can_be_reached(parts["host"], int(parts["port"] or 1)):
        raise ValueError("must be a URL such as https://api.coze.cn")
    if (parts["rest"] or "").strip("/"):
        raise ValueError("must be a bare host such as https://api.coze.cn, with no path")
    scheme, host = parts["scheme"], parts["host"]
    if scheme == "http" and not _is_local(host):
        raise ValueError("must use https; http is for this machine and for container hosts only")
    # The audience is the Host header, and that has no port where the port is the scheme's own.
    port = int(parts["port"] or _DEFAULT_PORTS[scheme])
    return f"{scheme}://{host}" + ("" if port == _DEFAULT_PORTS[scheme] else f":{port}")


def audience(api_base: str) -> str:
    """The `aud` of an assertion: the API host without a scheme, as Coze's SDKs send it."""
    return urlsplit(api_base).netloc


def _can_be_reached(host: str, port: int) -> bool:
    return 0 < port < 2**16 and (not host.startswith("[") or _address(host) is not None)


def _is_local(host: str) -> bool:
    address = _address(host)
    return host in _CONTAINER_HOSTS or (address is not None and address.is_loopback)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
