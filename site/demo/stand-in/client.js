// The object that a page makes, shows and hides.
import { wordsOf } from "../words.js";
import { Api } from "./api.js";
import { Conversation } from "./conversation.js";
import { addStyle, makeBall } from "./dom.js";
import { Tokens, checkAuth } from "./tokens.js";
import { Panel } from "./view.js";

export class WebChatClient {
  static clients = [];
  #root;
  #ball;
  #panel;
  #tokens;

  constructor(options) {
    const { auth, config = {}, ui = {}, el } = options;
    this.options = options;
    if (!checkAuth(auth)) return;
    this.#tokens = new Tokens(auth);
    this.words = wordsOf(ui.base?.lang?.startsWith("zh") ? "zh" : "en");
    this.botId = config.botInfo?.botId || config.botId || config.bot_id || "";
    this.#root = el ?? document.body.appendChild(document.createElement("div"));
    addStyle();
    if (ui.asstBtn?.isNeed !== false) {
      this.#ball = makeBall(this.words.openChat, () => this.showChatBot());
      this.#root.append(this.#ball);
    }
    WebChatClient.clients.push(this);
    this.#tokens.start();
  }

  showChatBot() {
    return this.#setVisible(true);
  }

  hideChatBot() {
    return this.#setVisible(false);
  }

  destroy() {
    this.#close();
    this.#ball?.remove();
    if (!this.options.el) this.#root?.remove();
    WebChatClient.clients = WebChatClient.clients.filter((client) => client !== this);
  }

  async #setVisible(visible) {
    const { onBeforeShow, onBeforeHide, onShow, onHide } = this.options.ui?.chatBot ?? {};
    if (!this.#tokens) return;
    if (!(await this.#tokens.start())) return report({ code: 401, message: "invalid token" });
    if ((await (visible ? onBeforeShow : onBeforeHide)?.()) === false) return;
    if (visible) this.#open();
    else this.#close();
    (visible ? onShow : onHide)?.();
  }

  #open() {
    if (this.#panel) return;
    const { chatBot, header } = this.options.ui ?? {};
    const api = new Api({ base: globalThis.CozeStandInBase, tokens: this.#tokens });
    this.#panel = new Panel({
      words: this.words,
      title: chatBot?.title || this.words.botName,
      closable: header?.isNeedClose !== false,
      floating: !chatBot?.el,
      conversation: new Conversation({ api, botId: this.botId, user: this.options.userInfo }),
      onHide: () => this.hideChatBot(),
      onFault: report,
    });
    (chatBot?.el ?? this.#root).append(this.#panel.element);
    if (this.#ball) this.#ball.hidden = true;
    this.#panel.begin();
  }

  #close() {
    this.#panel?.end();
    this.#panel = undefined;
    if (this.#ball) this.#ball.hidden = false;
  }
}

/** Tells the page, or the page around it, of an error; there is never a token in it. */
function report({ code, message }) {
  const data = { type: "OPEN_API_ERROR", code, message };
  window.parent.postMessage({ type: "chat-sdk-error", data }, "*");
}
