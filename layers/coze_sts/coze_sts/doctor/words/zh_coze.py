"""What is said in Chinese of the secret and of Coze."""

from __future__ import annotations

_STORE = (
    "请原样存入扣子给出的 coze_oauth_config.json，或按 docs/kms.zh-CN.md 写成的文件："
    "已部署的用堆栈输出 StoreKeyCommand 的命令，在本机则用 COZE_CONFIG 指定文件。"
)
_NO_FILE = "未检查：没有可用的 coze_oauth_config.json。"
_NO_SIGNATURE = "未检查：这里无法签名。"
_SEE_KEY = "请看 secret、config 和 key 三行。"
_NOBODY_TO_ASK = "未检查：没有令牌可用。"
_MEND = "先处理失败项，再重新检查。"
_SEE_EXCHANGE = "请看 exchange 一行。"
_SAY_BOT = "请看 exchange 一行，并指定智能体：命令用 BOT_ID，事件用 bot_id。"
_CONSOLE = "在扣子控制台给 OAuth 应用加上该权限，并重新授权"

COZE = {
    "settings.read": ("设置可以读取。", ""),
    "settings.faulty": ("设置有误：{faults}", "请改正该变量；它由同名的模板参数设定。"),
    "secret.read": ("coze_oauth_config.json 已就位。", ""),
    "secret.unreadable": ("读不到 coze_oauth_config.json：{reason}", _STORE),
    "config.read": ("内容有效：应用 {client_id}，位于 {api_base}。", ""),
    "config.faulty": ("内容无效：{reason}", _STORE),
    "config.skipped": (_NO_FILE, _MEND),
    "key.long": ("私钥是 RSA，{bits} 位。", ""),
    "key.kms": ("密钥在 KMS 中，由它签名；能否签名，见换取一项。", ""),
    "key.elsewhere": (
        "密钥在 KMS 中，无法从本机试用。",
        "部署之后请用 STACK 指定堆栈名：堆栈的体检会用这把密钥签名。",
    ),
    "key.in_kms": (
        "由 KMS 签名，文件中却仍有 private_key：函数会拒绝它。",
        (
            "请从文件中删去 private_key 后重新存入。若该文件曾经存入，其密钥就进过 secret："
            "最好按 docs/kms.zh-CN.md 在扣子新建一把。"
        ),
    ),
    "key.faulty": (
        "私钥不可用：{reason}",
        "请在扣子新建一把 2048 位或更长的 RSA 密钥，并把新文件整个存入。",
    ),
    "key.skipped": (_NO_FILE, _MEND),
    "kid.shaped": ("public_key_id 的形状像公钥指纹。", ""),
    "kid.odd": (
        "public_key_id 有 {length} 个字符；指纹应为 43 个字母、数字、- 或 _。",
        "请与 OAuth 应用配置页上的公钥指纹核对。",
    ),
    "kid.skipped": (_NO_FILE, _MEND),
    "clock.right": ("时钟与扣子相差 {seconds} 秒。", ""),
    "clock.wrong": (
        "时钟与扣子相差 {seconds} 秒。",
        "请校准时钟（例如用 NTP）：时间不对的断言会被扣子拒绝。",
    ),
    "clock.unknown": (
        "{host} 没有告知时间（{cause}）。",
        "请检查本机能否访问扣子：DNS、代理、防火墙。",
    ),
    "clock.skipped": (_NO_SIGNATURE, _SEE_KEY),
    "exchange.done": ("{host} 发放了令牌，日志 ID 为 {log_id}。", ""),
    "exchange.refused": (
        "扣子拒绝了密钥。{said}",
        (
            "请与扣子上的 OAuth 应用核对 client_id 和 public_key_id，确认应用已启用，"
            "并看 clock 和 region 两行。联系扣子支持时请提供日志 ID。"
        ),
    ),
    "exchange.denied": (
        "扣子拒绝了请求。{said}",
        (
            "请检查消息中指出的内容，并确认 OAuth 应用已启用、已授权给智能体所在的工作空间、"
            "类型为 JWT。"
            "联系扣子支持时请提供日志 ID。"
        ),
    ),
    "exchange.failing": (
        "扣子没有正常应答。{said}",
        "请过一分钟再试，并检查本机能否访问扣子。",
    ),
    "exchange.unsigned": (
        "没有签名，因此没有询问扣子。{said}",
        "请按消息所说的处理密钥；KMS 的各个错误码怎么办，见 docs/kms.zh-CN.md。",
    ),
    "exchange.kms_failing": (
        "KMS 暂时故障，因此没有询问扣子。{said}",
        "请过一分钟再试；若一直如此，请查看 AWS Health 以及堆栈所在区域的 KMS 配额。",
    ),
    "exchange.skipped": (_NO_SIGNATURE, _SEE_KEY),
    "region.right": ("密钥属于 {host}。", ""),
    "region.other": (
        "密钥在 {host} 无效，在 {other} 有效。",
        (
            "请把 coze_oauth_config.json 中的 coze_api_base 改为 https://{other} 后重新存入；"
            "若设置了 COZE_API_BASE，也要一致。"
        ),
    ),
    "region.neither": (
        "密钥在 {host} 和 {other} 都无效：问题不在区域。",
        (
            "请与扣子上的 OAuth 应用核对 client_id 和 public_key_id。新密钥要过几秒才生效；"
            "停用的应用会拒绝所有密钥。"
        ),
    ),
    "region.unreached": (
        "密钥在 {host} 无效，在 {other} 是否有效则无从得知。",
        "请过一分钟再试，或与扣子控制台的网址核对域名。",
    ),
    "region.unknown": (
        "未检查：{host} 不是扣子自己的域名，没有另一个区域可试。",
        "若本应直连扣子，请把 coze_api_base 设为 https://api.coze.cn 或 https://api.coze.com。",
    ),
    "region.skipped": ("未检查：扣子没有拒绝密钥。", _SEE_EXCHANGE),
    "permission.granted": ("已有 {permission}。", ""),
    "permission.seems": ("应该已有 {permission}：扣子是因别的原因拒绝的（{code}）。", ""),
    "permission.lacking": (
        "缺少 {permission}（{code}）；日志 ID {log_id}。",
        _CONSOLE + "；应用须获得智能体所在工作空间的授权。在此之前换新令牌没有用。",
    ),
    "permission.token": (
        "扣子不接受自己刚发放的令牌，{permission} 无从得知（{code}）；日志 ID {log_id}。",
        "请确认 OAuth 应用已启用，再凭日志 ID 联系扣子支持。",
    ),
    "permission.together": (
        "无法判断：{permission} 的接口同时要求 chat，而后者缺失。",
        "请先给应用加上 chat，再重新检查。",
    ),
    "permission.unclear": (
        "无法判断：扣子没有说明是否有 {permission}（{code}）；日志 ID {log_id}。",
        "请过一分钟再试。",
    ),
    "permission.bot": (
        "未检查：{permission} 要有智能体才能试。",
        "请指定智能体：命令用 BOT_ID，事件用 bot_id。",
    ),
    "permission.skipped": (_NOBODY_TO_ASK, _SEE_EXCHANGE),
    "api.published": ("智能体 {bot_id} 已发布到 API。", ""),
    "api.unpublished": (
        "智能体 {bot_id} 没有发布到 API（{code}）；日志 ID {log_id}。",
        "请在扣子控制台把智能体发布到 API：页面从那里读取开场白。",
    ),
    "api.refused": (
        "扣子不给出智能体 {bot_id}（{code}）；日志 ID {log_id}。",
        "请与扣子控制台中智能体网址末尾的 ID 核对；它所在的工作空间须已授权给 OAuth 应用。",
    ),
    "api.unclear": (
        "无法判断：扣子没有给出智能体 {bot_id}（{code}）；日志 ID {log_id}。",
        "请给应用加上 getMetadata，再重新检查。",
    ),
    "api.skipped": (
        "未检查：没有智能体或没有令牌。",
        _SAY_BOT,
    ),
    "chat_sdk.published": ("扣子允许在 Chat SDK 渠道与智能体 {bot_id} 建立会话。", ""),
    "chat_sdk.unpublished": (
        "智能体 {bot_id} 没有发布到 Chat SDK（4015）；日志 ID {log_id}。",
        "请在扣子控制台把智能体同时发布到 Chat SDK 和 API。",
    ),
    "chat_sdk.unclear": (
        "无法判断：在 Chat SDK 渠道没能与智能体 {bot_id} 建立会话。",
        "请给应用加上 createConversation 和 listConversation，再重新检查。",
    ),
    "chat_sdk.skipped": (
        "未检查：没有智能体或没有令牌。",
        _SAY_BOT,
    ),
    "opening.there": ("智能体有开场白，页面读得到。", ""),
    "opening.empty": (
        "已发布的智能体没有开场白。",
        "若要让访客看到开场白，请在扣子控制台填写后重新发布。",
    ),
    "opening.skipped": (
        "未检查：扣子没有给出智能体。",
        "请看 api 一行：智能体 ID、getMetadata、是否发布到 API。",
    ),
}
