"""The whole stack: AWS, Coze, issuer and gateway, wired as template.yaml wires the real one."""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from tests.local import template
from tests.local.aws import REGION, LocalAws, client_environment
from tests.local.coze import CozeStandIn, demo_config
from tests.local.faults import Faults
from tests.local.functions import ROOT, LocalFunction
from tests.local.gateway import Gateway, IamUser
from tests.local.gateway.routes import of_type
from tests.local.guard import Guard
from tests.local.oidc import OidcIssuer
from tests.local.outside import DEMO_MINI_PROGRAM, Outside
from tests.local.ports import Ports
from tests.local.server import Server
from tests.local.site import Site, site_settings
from tests.local.wechat import WechatStandIn

DEMO_AUDIENCE = "coze-sts-demo"
CANARY = IamUser(name="canary", access_key="LOCALCANARY", secret_key=secrets.token_hex(20))
"""The role of CanaryFunction."""

PLENTY = "10000000"
DEMO_BACKEND = IamUser(
    name="demo-backend", access_key="LOCALDEMOBACKEND", secret_key=secrets.token_hex(20)
)
NOTHING: Mapping[str, str] = MappingProxyType({})


class LocalStack:
    """Everything runs from ``with LocalStack() as stack`` to the end of the block.

    ``parameters`` are those of template.yaml and win over the demo's own. ``coze_config`` is the
    text of a coze_oauth_config.json to use in place of the stand-in's app. ``coze_host`` is the
    name of this machine for whoever calls the stand-in; with ``Ports.take(host="0.0.0.0")`` a
    container can. ``prefix`` begins the names of the table and the secrets; without one they are
    random. ``tell`` gets a line for each request that the gateway refuses. ``site`` is the folder
    of the demo page, and ``bot_id`` the bot that it talks to. ``faults`` spoils on request what
    the page gets.
    """

    def __init__(
        self,
        *,
        parameters: Mapping[str, str] = NOTHING,
        ports: Ports | None = None,
        coze_config: str | None = None,
        coze_host: str = "127.0.0.1",
        prefix: str | None = None,
        clock: Callable[[], float] = time.time,
        tell: Callable[[str], object] = lambda _line: None,
        site: Path = ROOT / "site",
        bot_id: str = "",
    ) -> None:
        ports = ports or Ports.take()
        self.url = ports.gateway.url
        self.parameters = {**_demo_parameters(ports), **parameters}
        self.resources = template.expand(self.parameters, partition="aws", region=REGION)
        self.coze = CozeStandIn(clock=clock)
        self.oidc = OidcIssuer(issuer=ports.oidc.url, audience=DEMO_AUDIENCE, clock=clock)
        # A real key is in there then, and the emulator would hand it to anybody on this machine.
        access_key = secrets.token_hex(20) if coze_config else None
        self.aws = LocalAws(at=ports.aws, prefix=prefix, access_key=access_key)
        self.aws.create(self.resources)
        self.coze_config = coze_config or self._demo_app(f"http://{coze_host}:{ports.coze.port}")
        self.aws.put_secret("CozeSecret", self.coze_config)
        self.wechat = WechatStandIn(clock=clock)
        self._outside = {
            "WECHAT_SECRET_ID": self.aws.create_secret("Wechat", self._demo_mini_program()),
            "WECHAT_API_BASE": f"http://{coze_host}:{ports.coze.port}",
            "API_ENDPOINT": f"http://{coze_host}:{ports.gateway.port}",
        }
        self.functions = self._functions()
        self.gateway = Gateway(
            resources=self.resources,
            invoke=lambda name, event: self.functions[name].invoke(event),
            users=[DEMO_BACKEND, CANARY],
            region=REGION,
            clock=clock,
            tell=tell,
        )
        self.site_settings = site_settings(
            coze=json.loads(coze_config)["coze_api_base"] if coze_config else ports.coze.url,
            issuer=ports.oidc.url,
            bot_id=bot_id,
        )
        self.faults = Faults(Site(self.gateway, folder=site, settings=self.site_settings))
        outside = Outside(
            coze=self.coze,
            wechat=self.wechat,
            demo_config=None if coze_config else self.coze_config,  # a real key is nobody else's
        )
        self.servers = [
            Server(outside, at=ports.coze),
            Server(self.oidc, at=ports.oidc),
            Server(Guard(self.faults, pages=True), at=ports.gateway),
        ]
        self.coze_url = ports.coze.url

    def environment(self, function: str, *, host: str = "127.0.0.1") -> dict[str, str]:
        """The variables of a function as the template sets them, and those that point it here.

        ``host`` is the name of this machine where the function runs.
        """
        declared = self.resources[function]["Properties"]["Environment"]["Variables"]
        ours = {name: value for name, value in declared.items() if name not in self._outside}
        return {
            **{name: self.aws.resolve(str(value)) for name, value in ours.items()},
            **self._outside,
            **client_environment(
                f"http://{host}:{self.aws.server.port}", access_key=self.aws.access_key
            ),
            **(CANARY.credentials if function == "CanaryFunction" else {}),
        }

    def close(self) -> None:
        """Stop everything."""
        for server in self.servers:
            server.close()
        self.aws.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _demo_app(self, url: str) -> str:
        config, public_pem = demo_config(url)
        self.coze.register_app(
            client_id=config["client_id"],
            kid=config["public_key_id"],
            public_key_pem=public_pem,
        )
        return json.dumps(config)

    def _demo_mini_program(self) -> str:
        app = {"appid": DEMO_MINI_PROGRAM, "secret": secrets.token_hex(16)}
        self.wechat.register_app(**app)
        return json.dumps(app)

    def _functions(self) -> dict[str, LocalFunction]:
        written = template.source()["Resources"]  # knows the folders; expanded, it is an S3 key
        return {
            name: LocalFunction(
                name=name,
                folder=ROOT / written[name]["Properties"]["CodeUri"],
                handler=properties["Handler"],
                environment=self.environment(name),
                timeout=properties["Timeout"],
                memory=properties["MemorySize"],
            )
            for name, properties in of_type(self.resources, "AWS::Lambda::Function").items()
        }


def _demo_parameters(ports: Ports) -> dict[str, str]:
    return {
        "GuestSessions": "on",
        "OidcIssuer": ports.oidc.url,
        "OidcAudience": DEMO_AUDIENCE,
        # The route is there with any secret; the stand-in's takes its place in the environment.
        "WechatSecretId": f"arn:aws:secretsmanager:{REGION}:{template.ACCOUNT_ID}:secret:wx-a1B2c3",
        # For curl, and because all of this machine's visitors have one address.
        "AllowNoOrigin": "on",
        "NewGuestsPerAddress": PLENTY,
        "NewGuestsPerOrigin": PLENTY,
        "ExchangesPerDay": PLENTY,
        "AllowedOrigins": f"http://127.0.0.1:{ports.gateway.port},"
        f"http://localhost:{ports.gateway.port}",
    }
