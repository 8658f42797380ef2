"""What the report says, in English and Chinese."""

from __future__ import annotations

SNIPPET = """\
<script src="https://lf-cdn.coze.cn/obj/unpkg/flow-platform/chat-app-sdk/1.2.0-beta.10/libs/cn/index.js"></script>
<script type="module">
  import { createSession } from "./coze-session.js";

  const session = createSession({ endpoint: "https://abc123.execute-api.eu-west-1.amazonaws.com" });
  if (await session.ready) {
    new CozeWebSDK.WebChatClient({
      config: { bot_id: "7000000000000000001", isIframe: false },
      auth: { type: "token", token: "", onRefreshToken: session.onRefreshToken },
    });
  }
</script>"""

ENGLISH = {
    "coze-token": "revoke this token at Coze; a page gets its token from createSession",
    "private-key": "delete this key at Coze; a key that signs stays on a server",
    "oauth-config": "take this file out of the site and delete its key at Coze",
    "client-secret": "reset this secret at Coze; it stays on a server",
    "public-variable": "the build writes it into the page: read it on a server only, "
    "under a name that is not public",
    "allowed": "allowed by a comment",
    "length": "{head}…({length} characters)",
    "fault": "cannot scan: {fault}",
    "no-file": "{path}: not a file",
    "empty": "{path}: no file to scan",
    "clean": "No leak. Files scanned: {files}. Allowed by a comment: {allowed}.",
    "leaked": "Leaks: {leaks}. Files scanned: {files}. Allowed by a comment: {allowed}.",
    "unsure": "No leak in what could be scanned, but not all could. Files scanned: {files}.",
    "cure": """
What to do, in this order:
1. Revoke the token or delete the key at Coze. Whoever saw the page has it; taking it out is not enough.
2. Take it out of the files, and out of the history of git (git filter-repo), and publish anew.
3. Let the page ask Coze STS for a token of the visitor's own:""",  # noqa: E501 - a line of the report
}

CHINESE = {
    "coze-token": "请在扣子吊销这个令牌；网页应当用 createSession 取得令牌",
    "private-key": "请在扣子删除这个密钥；签名用的密钥只能放在服务器上",
    "oauth-config": "请把这个文件移出网站，并在扣子删除其中的密钥",
    "client-secret": "请在扣子重置这个密钥；它只能放在服务器上",
    "public-variable": "构建工具会把它写进网页：请换成不公开的名称，只在服务器上读取",
    "allowed": "已由注释允许",
    "length": "{head}…（{length} 个字符）",
    "fault": "无法扫描：{fault}",
    "no-file": "{path}：不是文件",
    "empty": "{path}：没有可扫描的文件",
    "clean": "扫描了 {files} 个文件，没有发现泄漏；{allowed} 处由注释允许。",
    "leaked": "扫描了 {files} 个文件，发现 {leaks} 处泄漏；{allowed} 处由注释允许。",
    "unsure": "已扫描的 {files} 个文件没有泄漏，但有文件无法扫描。",
    "cure": """
请按顺序处理：
1. 先在扣子吊销令牌或删除密钥。看过网页的人已经拿到它，只从文件中删掉是不够的。
2. 从文件中删掉它，也从 git 历史中删掉（git filter-repo），然后重新发布。
3. 让网页向 Coze STS 申请访客自己的令牌：""",
}

MESSAGES = {"en": ENGLISH, "zh": CHINESE}
