"""The code that is tried: the service's own modules, or some of them with a mutation in one."""

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from coze_sts import performer
from coze_sts.cache import decision, lease, memory

from tests.simulation import table

MUTABLE = (
    "coze_sts.cache.decision",
    "coze_sts.cache.leader",
    "coze_sts.cache.lease",
    "coze_sts.cache.memory",
    "coze_sts.performer",
    "tests.simulation.table",
)
"""In an order in which each imports only from those before it."""


@dataclass(frozen=True, kw_only=True)
class Core:
    """The modules that a run uses by name; they import the others."""

    decision: ModuleType = decision
    lease: ModuleType = lease
    memory: ModuleType = memory
    performer: ModuleType = performer
    table: ModuleType = table


def mutated(module: str, *, old: str, new: str) -> Core:
    """The core with `old` replaced in `module`; raises ValueError unless it is there just once."""
    sources = {name: _path(name).read_text() for name in MUTABLE}
    found = sources[module].count(old)
    if found != 1:
        raise ValueError(f"{found} times in {module}: {old}")
    sources[module] = sources[module].replace(old, new)
    with patch.dict(sys.modules):
        fresh = {name: _compiled(name, source) for name, source in sources.items()}
    short = {name.rpartition(".")[2]: module for name, module in fresh.items()}
    return Core(**{name: short[name] for name in Core.__dataclass_fields__})


def _compiled(name: str, source: str) -> ModuleType:
    """Takes the place of the module in `sys.modules`, for those that import it after."""
    module = sys.modules[name] = ModuleType(name)
    exec(compile(source, f"{name} (mutant)", "exec"), module.__dict__)
    return module


def _path(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise LookupError(name)
    return Path(spec.origin)
