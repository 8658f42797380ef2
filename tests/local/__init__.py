"""The whole service on 127.0.0.1: Coze, AWS, an OIDC issuer and API Gateway, played locally."""
