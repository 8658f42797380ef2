"""A stand-in for Coze's token endpoint and chat API, strict where Coze is known to be."""

from tests.local.coze.demo import demo_config
from tests.local.coze.records import ChatRequest, Exchange, TokenRecord
from tests.local.coze.stand_in import CozeStandIn

__all__ = ["ChatRequest", "CozeStandIn", "Exchange", "TokenRecord", "demo_config"]
