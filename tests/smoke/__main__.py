"""``make smoke ENDPOINT=https://…``: exit status 0 if all is well, 1 if not, 2 for no answer."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import requests

from tests.smoke.checks import CHECKS, NotTried, Site, Wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="make smoke", description=__doc__)
    parser.add_argument("endpoint", help="the output ApiEndpoint")
    parser.add_argument("--origin", help="one of AllowedOrigins")
    asked = parser.parse_args(arguments)
    if not asked.endpoint.startswith(("https://", "http://")):
        parser.error("ENDPOINT= must be a URL such as https://abc123.execute-api.…")
    with requests.Session() as http:
        site = Site(endpoint=asked.endpoint.rstrip("/"), origin=asked.origin, http=http)
        return run(site)


def run(site: Site) -> int:
    """Makes all checks and prints a line for each; the exit status."""
    status = 0
    for check in CHECKS:
        try:
            mark, found = "ok", check(site)
        except NotTried as reason:
            mark, found = "not tried", str(reason)
        except Wrong as fault:
            mark, found, status = "WRONG", str(fault), 1
        except requests.RequestException as fault:
            print(f"{site.endpoint} does not answer: {type(fault).__name__}", file=sys.stderr)
            return 2
        print(f"{mark:9}  {check.__name__.replace('_', ' '):16}  {found}")
    return status


if __name__ == "__main__":
    sys.exit(main())
