"""``python -m tests.local``: starts everything on this machine and says how to use it.

PORT (3000) is the gateway's; the stand-in, the issuer and AWS take the three ports that follow.
HOST (127.0.0.1) is the address to listen on; 0.0.0.0 lets the containers of `sam local` in.
COZE_CONFIG names a coze_oauth_config.json to use in place of the stand-in.
BOT_ID is the bot that the page talks to; the stand-in plays any bot, a real key needs one.
"""

import os
import signal
import sys
import threading
from collections.abc import Mapping

from tests.local.coze_config import BadConfig, read_coze_config
from tests.local.ports import CannotListen, Ports

DEFAULT_PORT = 3000
LOOPBACK = "127.0.0.1"
LAST_PORT = 65_532


class BadPort(Exception):
    """PORT cannot be used; the sentence says what it must be."""


def main(environ: Mapping[str, str]) -> int:
    """Run until SIGINT or SIGTERM; the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores the first
        signal.signal(number, signal.default_int_handler)
    try:
        coze_config = read_coze_config(environ.get("COZE_CONFIG", ""))
        host = _host(environ, coze_config)
        ports = Ports.take(first=_port(environ), host=host)
        _run(ports, coze_config, bot_id=environ.get("BOT_ID", ""))
    except (BadPort, BadConfig, CannotListen) as fault:
        print(fault, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
    return 0


def _host(environ: Mapping[str, str], coze_config: str | None) -> str:
    host = environ.get("HOST") or LOOPBACK
    if coze_config and host != LOOPBACK:
        raise BadConfig("COZE_CONFIG: a real key is not offered to the network: leave HOST out.")
    return host


def _port(environ: Mapping[str, str]) -> int:
    text = environ.get("PORT") or str(DEFAULT_PORT)
    port = int(text) if text.isascii() and text.isdecimal() else 0
    if not 1 <= port <= LAST_PORT:
        raise BadPort(f"PORT must be a number from 1 to {LAST_PORT}.")
    return port


def _run(ports: Ports, coze_config: str | None, *, bot_id: str) -> None:
    print(f"Starting Coze STS on {ports.gateway.url} ...", flush=True)
    # Imported here, so that a fault above is told at once and not after a second of loading.
    from tests.local.banner import banner  # noqa: PLC0415
    from tests.local.stack import LocalStack  # noqa: PLC0415

    # Without a prefix the table and the secrets have the names that `sam local` gives them.
    with LocalStack(
        ports=ports, coze_config=coze_config, prefix="", tell=_tell, bot_id=bot_id
    ) as stack:
        for name in {route.function for route in stack.gateway.routes.values()}:
            stack.functions[name].load()
        print(banner(stack, coze_config=coze_config), flush=True)
        threading.Event().wait()


def _tell(line: str) -> None:
    print(f"gateway: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(os.environ))
