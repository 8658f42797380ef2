"""A stand-in for Coze's token endpoint and conversation API, strict where Coze is known to be."""

from tests.local.coze.demo import demo_config
from tests.local.coze.records import Exchange, TokenRecord
from tests.local.coze.stand_in import CozeStandIn

__all__ = ["CozeStandIn", "Exchange", "TokenRecord", "demo_config"]
