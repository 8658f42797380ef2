"""One Lambda: its clock, its memory, and what it knows of the secrets."""

from collections.abc import Callable
from dataclasses import dataclass, field

from coze_sts.allowance import Allowance
from coze_sts.cache.memory import TokenMemory
from coze_sts.coze.app_key import CozeApp
from coze_sts.coze.keys import AppKeys
from coze_sts.errors import TemporarilyUnavailable
from coze_sts.stored_secret import SecretVersion, StoredSecret

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"


@dataclass
class KeyStore:
    """Secrets Manager: the kid of each stage."""

    stages: dict[str, str]
    down: bool = False

    def fetch(self, stage: str) -> SecretVersion:
        if self.down or stage not in self.stages:
            raise TemporarilyUnavailable("Secrets Manager did not answer.")
        kid = self.stages[stage]
        return SecretVersion(version_id=kid, text=kid)

    def rotate(self, kid: str) -> None:
        self.stages = {CURRENT: kid, PREVIOUS: self.stages[CURRENT]}


@dataclass(kw_only=True)
class Process:
    """Serves one request at a time. `ahead` is how far into a call to Coze it is, in seconds."""

    true_time: Callable[[], float]
    offset: float
    key_store: KeyStore
    memory: TokenMemory
    busy: bool = False
    dead: bool = False
    ahead: float = 0.0
    grace: dict[str, str] = field(default_factory=dict)
    """By pk: the token that was served in trouble, and so may be in memory before its end."""
    direct: list[float] = field(default_factory=list)
    """True times at which it spent of its allowance, and then asked Coze without a lease."""
    fetched: list[float] = field(default_factory=list)
    """When it asked for AWSCURRENT."""

    def __post_init__(self) -> None:
        self.allowance = Allowance(clock=self.clock)
        self.keys = AppKeys(
            current=self._secret(CURRENT), previous=self._secret(PREVIOUS), clock=self.clock
        )

    def clock(self) -> float:
        """The time as this process knows it, in UNIX seconds."""
        return self.true_time() + self.offset + self.ahead

    def _secret(self, stage: str) -> StoredSecret[CozeApp]:
        def fetch() -> SecretVersion:
            if stage == CURRENT:
                self.fetched.append(self.clock())
            return self.key_store.fetch(stage)

        return StoredSecret(
            fetch=fetch, parse=_app, clock=self.clock, on_failure=lambda _failure: None
        )


def _app(kid: str) -> CozeApp:
    """An app whose key is never used: signatures are not what is tried here."""
    return CozeApp(client_id="app", kid=kid, api_base="https://coze", signer=None)  # type: ignore[arg-type]
