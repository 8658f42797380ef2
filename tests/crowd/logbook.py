"""What must not be in the functions' own lines, whatever happens, and what broke."""

import re
from collections import Counter
from pathlib import Path

SECRETS = {
    "a token": re.compile(r"czs_[\w-]{8}"),
    "a ticket": re.compile(r"g1\.\d+\.[\w-]{8}"),
    "an assertion or a sign-in": re.compile(r"eyJ[\w-]+\.eyJ"),
    "a guest's name": re.compile(r"guest_[a-z2-7]{8}"),
    "a visitor's name": re.compile(r"visitor-\d"),
    "an openid": re.compile(r"wechat_o[\w-]{8}"),
}

CRASH = re.compile(r"^[\w.]+(Error|Exception)\b|unexpected exception")


def crashes(log: Path) -> Counter[str]:
    """The exceptions that nobody caught, and how often each."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        return Counter(line.strip() for line in lines if CRASH.search(line))


def leaks(log: Path) -> Counter[str]:
    """How many lines hold one of these."""
    found: Counter[str] = Counter()
    with log.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            found.update(name for name, secret in SECRETS.items() if secret.search(line))
    return found
