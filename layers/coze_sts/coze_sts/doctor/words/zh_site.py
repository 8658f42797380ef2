"""What is said in Chinese of the site: its origins, its sign-in, its table."""

from __future__ import annotations

SITE = {
    "preflight.allowed": ("{origin} 的页面可以调用。", ""),
    "preflight.refused": (
        "{origin} 的页面不能调用 {endpoint}。",
        "请把该源一字不差地加入 AllowedOrigins（末尾不带斜杠），然后重新部署。",
    ),
    "preflight.partly": (
        "{origin} 的页面可以调用，但以下内容不被允许：{lacks}。",
        (
            "请按原样部署 template.yaml；若 API 前面还有别的服务，"
            "请让它放行 POST、authorization 和 content-type。"
        ),
    ),
    "preflight.silent": (
        "{endpoint} 没有应答（{cause}）。",
        "请与堆栈输出 ApiEndpoint 核对。",
    ),
    "preflight.skipped": (
        "未检查：不知道 API 地址或网页的源。",
        (
            "请指定：命令用 ENDPOINT（即输出 ApiEndpoint）和 ORIGIN，事件用 endpoint 和 origin；"
            "后者默认取堆栈的 AllowedOrigins。"
        ),
    ),
    "foreign.refused": ("陌生源的页面不能调用。", ""),
    "foreign.admitted": (
        "任何源的页面都能调用：任何网站都能替它的访客取令牌。",
        (
            "请在 AllowedOrigins 中写明自己的源，不用通配符；"
            "并检查 API 前面的服务是否自行添加了响应头。"
        ),
    ),
    "foreign.silent": ("无法判断：{host} 没有应答。", "请看 preflight 一行。"),
    "foreign.skipped": (
        "未检查：不知道 API 地址。",
        "请指定：命令用 ENDPOINT，事件用 endpoint；即输出 ApiEndpoint。",
    ),
    "oidc.sound": ("{issuer} 可以访问，自称一致，并有 RS256 密钥。", ""),
    "oidc.unreachable": (
        "读不到 {issuer} 的发现文档（{cause}）。",
        (
            "请在签发者后面加上 /.well-known/openid-configuration 打开看看："
            "API Gateway 也要能从公网访问它。"
        ),
    ),
    "oidc.differs": (
        "签发者自称 {said}，设置写的是 {issuer}。",
        "请把 OidcIssuer 改得与签发者一字不差：常常只差末尾的斜杠。",
    ),
    "oidc.jwks_unreachable": (
        "读不到 {issuer} 的密钥（{cause}）。",
        "请看发现文档中的 jwks_uri：须为 https，并以 JSON 应答。",
    ),
    "oidc.no_keys": (
        "{issuer} 没有带 kid 的 RS256 用 RSA 密钥。",
        "请让签发者用 RS256 签名：API Gateway 只接受 RSA，并按 kid 找密钥。",
    ),
    "oidc.skipped": (
        "未检查：没有签发者，也就没有人登录。",
        "若访客要登录，请设置 OidcIssuer；部署之前用 OIDC_ISSUER。",
    ),
    "table.purged": ("表会自动删除过期令牌的行（purge_at）。", ""),
    "table.kept": (
        "表会永远保留行：没有对 purge_at 启用 TTL。",
        "请重新部署堆栈，或对属性 purge_at 启用 TTL。",
    ),
    "table.unreadable": (
        "读不到表的 TTL（{cause}）。",
        "请检查 TOKEN_TABLE 是否存在，以及函数的角色。",
    ),
    "table.skipped": (
        "未检查：部署之前没有表。",
        "部署之后请用 STACK 指定堆栈名。",
    ),
}
