// What the visitor sees of the stand-in. Remote text only ever becomes text.
import { cozeFault, fill } from "../words.js";
import { make } from "./dom.js";

export class Panel {
  #back = document.activeElement;
  #options;
  #log;
  #suggestions;
  #fault;
  #form;
  #input;
  #send;

  constructor(options) {
    const { words, title, closable, floating } = options;
    this.#options = options;
    this.#log = make("div", { className: "log", role: "log", ariaLabel: words.log, tabIndex: 0 });
    this.#suggestions = make("div", { className: "suggestions" });
    this.#fault = make("p", { className: "fault", role: "alert", hidden: true });
    this.#form = this.#makeForm();
    this.element = make(
      "section",
      { className: `coze-stand-in${floating ? " floating" : ""}`, ariaLabel: title },
      this.#makeHeader(title, closable),
      this.#log,
      this.#suggestions,
      this.#fault,
      this.#form,
    );
    this.element.addEventListener("keydown", ({ key, isComposing }) => {
      if (key === "Escape" && !isComposing) options.onHide();
    });
  }

  /** Shows what was said before. The chat works without the bot's opening statement. */
  async begin() {
    const { conversation, words } = this.#options;
    this.#input.focus();
    const note = this.#log.appendChild(make("p", { className: "note" }, words.opening));
    const [bot, history] = await Promise.all([
      conversation.bot().catch((fault) => this.#showFault(fault)),
      conversation.history().catch((fault) => this.#showFault(fault)),
    ]);
    note.remove();
    if (bot?.prologue) this.#add("assistant", bot.prologue);
    for (const { role, content, content_type: type } of history ?? [])
      this.#add(role, type === "text" ? content : words.notText);
    if (bot && !history?.length) this.#suggest(bot.suggestions);
  }

  /** Takes the panel away, and gives the focus back. */
  end() {
    this.element.remove();
    this.#back?.focus();
  }

  async #ask(text) {
    if (!text || this.#send.disabled) return;
    const { conversation, words } = this.#options;
    this.#setBusy(true);
    this.#input.value = "";
    const question = this.#add("user", text);
    const answer = this.#add("assistant", words.thinking);
    let said = "";
    try {
      for await (const piece of conversation.say(text)) {
        said += piece;
        if (said) this.#write(answer, said);
      }
      this.#suggest([]);
    } catch (fault) {
      if (!said) {
        question.remove();
        this.#input.value ||= text; // to be sent again
      }
      this.#showFault(fault);
    }
    if (!said) answer.remove();
    this.#setBusy(false);
  }

  #add(role, text) {
    const { words, title } = this.#options;
    const isUser = role === "user";
    const who = isUser ? words.youSaid : fill(words.botSaid, { bot: title });
    const message = make(
      "div",
      { className: `message ${isUser ? "user" : "assistant"}` },
      make("span", { className: "who" }, who),
      make("span", { className: "text" }),
    );
    this.#log.append(message);
    this.#write(message, text);
    return message;
  }

  #write(message, text) {
    message.lastChild.textContent = text;
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  #suggest(questions) {
    this.#suggestions.replaceChildren(
      ...questions.map((question) => {
        const button = make("button", { type: "button" }, question);
        button.addEventListener("click", () => {
          this.#input.focus();
          this.#ask(question);
        });
        return button;
      }),
    );
  }

  #showFault(fault) {
    this.#fault.textContent = cozeFault(this.#options.words, fault);
    this.#fault.hidden = false;
    this.#options.onFault(fault);
  }

  /** A screen reader is told of an answer when it is whole. */
  #setBusy(busy) {
    this.#log.setAttribute("aria-busy", String(busy));
    this.#send.disabled = busy;
    if (busy) this.#fault.hidden = true;
  }

  #makeHeader(title, closable) {
    const { words, onHide } = this.#options;
    const header = make("header", {}, make("h2", {}, title), make("small", {}, words.badge));
    if (closable) {
      const close = make("button", { type: "button", ariaLabel: words.closeChat });
      close.addEventListener("click", onHide);
      header.append(close);
    }
    return header;
  }

  #makeForm() {
    const { words } = this.#options;
    this.#input = make("textarea", {
      rows: 1,
      ariaLabel: words.message,
      placeholder: words.message,
    });
    this.#send = make("button", {}, words.send);
    const form = make("form", {}, this.#input, this.#send);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#ask(this.#input.value.trim());
    });
    this.#input.addEventListener("keydown", (event) => {
      // While a Chinese word is being composed, Enter chooses it; Safari says so by 229 alone.
      const composing = event.isComposing || event.keyCode === 229;
      if (event.key !== "Enter" || event.shiftKey || composing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    return form;
  }
}
