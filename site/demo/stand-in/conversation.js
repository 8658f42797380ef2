// A visitor's conversation with a bot. Whose it is, the token says: userInfo keeps nobody apart.
import { CozeError } from "./api.js";
import { events } from "./events.js";

const LIMIT = 50;
const SHOWN = ["question", "answer"];

export class Conversation {
  #api;
  #botId;
  #user;
  #id;

  constructor({ api, botId, user = {} }) {
    this.#api = api;
    this.#botId = botId;
    this.#user = user;
  }

  /** The bot's name, opening statement and suggested questions. */
  async bot() {
    const { data } = await this.#api.json(`/v1/bots/${encodeURIComponent(this.#botId)}`);
    const { prologue = "", suggested_questions: suggestions = [] } = data.onboarding_info ?? {};
    const name = this.#user.nickname ?? "";
    return { prologue: prologue.replaceAll("{{user_name}}", name), suggestions };
  }

  /** What was said before, oldest first. */
  async history() {
    const id = await this.#open();
    const path = `/v1/conversation/message/list?conversation_id=${encodeURIComponent(id)}`;
    const { data } = await this.#api.json(path, { order: "desc", limit: LIMIT });
    return data.filter(({ type }) => SHOWN.includes(type)).reverse();
  }

  /** Says something, and yields the pieces of the answer. */
  async *say(content) {
    const id = await this.#open();
    const bytes = await this.#api.stream(`/v3/chat?conversation_id=${encodeURIComponent(id)}`, {
      bot_id: this.#botId,
      user_id: this.#user.id || "visitor",
      stream: true,
      additional_messages: [{ role: "user", content, content_type: "text" }],
    });
    for await (const { event, data } of events(bytes)) {
      if (event === "conversation.message.delta") yield piece(JSON.parse(data));
      else if (event === "conversation.chat.failed")
        throw new CozeError(JSON.parse(data).last_error);
      else if (event === "error") throw new CozeError(JSON.parse(data));
    }
  }

  /** The ID of the newest conversation, or of a new one. */
  #open() {
    return (this.#id ??= this.#find().catch((fault) => {
      this.#id = undefined;
      throw fault;
    }));
  }

  async #find() {
    const query = new URLSearchParams({ bot_id: this.#botId, page_num: "1", page_size: "1" });
    const { data } = await this.#api.json(`/v1/conversations?${query}`);
    if (data.conversations[0]) return data.conversations[0].id;
    const created = await this.#api.json("/v1/conversation/create", { bot_id: this.#botId });
    return created.data.id;
  }
}

const piece = ({ type, content }) => (type === "answer" ? content : "");
