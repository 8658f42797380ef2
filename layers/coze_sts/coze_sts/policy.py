"""Rules for single origins and issuers, from one optional file: docs/policy.md explains it.

It needs nothing but the standard library, so that the build can check the file, whatever
processor it builds for: `python -m coze_sts.policy policy.json`. What reads rules is imported where
there are some: most stacks have none, and start the sooner.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from coze_sts.errors import AccessDenied, Misconfigured
from coze_sts.settings import Settings

if TYPE_CHECKING:
    from coze_sts.policy_rules import Rule

POLICY_PATH = Path(__file__).parents[1] / "policy.json"
"""Beside the package, in the repository as on Lambda."""

_NAME = "policy.json"


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The rules, by origin and by issuer."""

    origins: Mapping[str, Rule] = field(default_factory=dict)
    issuers: Mapping[str, Rule] = field(default_factory=dict)

    def check(self, settings: Settings) -> None:
        """Raises Misconfigured for rules that would never hold: a typo would protect nothing."""
        issuers = {issuer.url for issuer in settings.issuers}
        faults = [
            f"{_NAME} → origins → {_shown(origin)}: is not among ALLOWED_ORIGINS."
            for origin in self.origins
            if origin not in settings.allowed_origins
        ] + [
            f"{_NAME} → issuers → {_shown(issuer)}: is no OIDC_ISSUER, to the letter."
            for issuer in self.issuers
            if issuer not in issuers
        ]
        _refuse(faults)

    def settings_for(
        self, settings: Settings, *, origin: str | None, issuer: str | None
    ) -> Settings:
        """The settings for a page of `origin` whose visitor `issuer` signed in.

        What a rule sets replaces what `settings` has. Where both rules set the same, the
        narrower holds: an Origin header proves nothing, so it must not widen what an issuer's
        rule allows. Raises AccessDenied where they have no bot or no permission in common.
        """
        by_origin = self.origins.get(origin or "", {})
        by_issuer = self.issuers.get(issuer or "", {})
        if not by_origin and not by_issuer:
            return settings
        from coze_sts.policy_rules import narrower  # noqa: PLC0415

        rule = narrower(by_origin, by_issuer)
        if () in rule.values():
            raise AccessDenied(
                "This sign-in gets no token on this page.",
                operator=f"The rules of origin {origin} and of issuer {issuer} in {_NAME} have "
                "no bot or no permission in common.",
            )
        return replace(settings, **rule)


NO_POLICY = Policy()


def read_policy(path: Path) -> Policy:
    """Reads the file, or NO_POLICY where there is none; raises Misconfigured."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return NO_POLICY
    except (OSError, UnicodeDecodeError) as failure:
        raise Misconfigured(f"{_NAME} cannot be read: {type(failure).__name__}.") from None
    return parse_policy(text)


def parse_policy(text: str) -> Policy:
    """Reads the file's content; policy.schema.json accepts the same documents.

    Raises Misconfigured with a line for each fault, all of them together.
    """
    from coze_sts.policy_rules import read_rules  # noqa: PLC0415
    from coze_sts.strict_json import parse  # noqa: PLC0415

    try:
        document = parse(text, name=_NAME)
    except ValueError as fault:
        raise Misconfigured(str(fault)) from None
    policy = Policy(**read_rules(document))
    _refuse(document.faults)
    return policy


def main(path: str) -> None:
    """Checks a file before it ships: exits with 1 and its faults."""
    try:
        if read_policy(Path(path)) is NO_POLICY:
            sys.exit(f"{path} is not there.")
    except Misconfigured as fault:
        sys.exit(str(fault))


def _shown(name: str) -> str:
    from coze_sts.strict_json import shown  # noqa: PLC0415

    return shown(name)


def _refuse(faults: list[str]) -> None:
    if faults:
        raise Misconfigured("\n".join(faults))


if __name__ == "__main__":
    main(*sys.argv[1:])
