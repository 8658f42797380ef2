// The lines to paste, filled with this service's address.

const COZE_CN =
  "https://lf-cdn.coze.cn/obj/unpkg/flow-platform/chat-app-sdk/1.2.0-beta.10/libs/cn/index.js";

export const snippetOf = ({ endpoint, sdk, botId }) => `\
<script src="${sdk ?? COZE_CN}"></script>
<script type="module">
  import { createSession } from "./coze-session.js";

  const session = createSession({ endpoint: "${endpoint}" });
  if (await session.ready) {
    new CozeWebSDK.WebChatClient({
      config: { bot_id: "${botId}", isIframe: false },
      auth: { type: "token", token: "", onRefreshToken: session.onRefreshToken },
    });
  }
</script>
`;

/** Copies the element's text, or selects it where copying is not allowed; whether it was copied. */
export async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return false;
  }
}
