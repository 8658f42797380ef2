"""API Gateway's HTTP API, played: routes, authorizers and CORS as template.yaml declares them."""

from tests.local.gateway.app import Gateway
from tests.local.gateway.sigv4 import IamUser

__all__ = ["Gateway", "IamUser"]
