"""Who may sign visitors in, as the environment names them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from coze_sts.variables import Variables

ISSUER = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~%/-]*)?")
_AUDIENCE = re.compile(r"[^,\s]+")
_PREFIX = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,30}[_.:-]")


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """Who signs visitors in; `prefix` begins the names of all issuers' users but the first's.

    The authorizer checks `audiences`; here they are for the canary, which forges sign-ins.
    """

    url: str
    prefix: str = ""
    audiences: tuple[str, ...] = ()


def read_issuers(reader: Variables) -> tuple[Issuer, ...]:
    """The first as it is; each later one with a prefix, or two users could be one."""
    first = reader.matching("OIDC_ISSUER", ISSUER)
    audiences = reader.listed("OIDC_AUDIENCE", _AUDIENCE)
    issuers = [Issuer(url=first, audiences=audiences)] if first else []
    for number in ("2", "3"):
        url = reader.matching(f"OIDC_ISSUER_{number}", ISSUER)
        prefix = reader.matching(f"OIDC_PREFIX_{number}", _PREFIX)
        audiences = reader.listed(f"OIDC_AUDIENCE_{number}", _AUDIENCE)
        if bool(url) != bool(prefix):
            reader.faults.append(f"Set both OIDC_ISSUER_{number} and OIDC_PREFIX_{number}.")
        elif url and prefix:
            issuers.append(Issuer(url=url, prefix=prefix, audiences=audiences))
    return tuple(issuers)
