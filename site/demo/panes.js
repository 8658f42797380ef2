// The two panes: who is in each, and the page that shows their chat.
import { visitorOf } from "./visitor.js";
import { fill } from "./words.js";

export class Pane {
  #element;
  #frame;
  #words;
  #asked = false;

  /** Hears of another visitor, and of what the page does. */
  onChange = () => {};
  /** Hears who was there when the page itself went on to another visitor, or to the same. */
  onLeave = () => {};

  /** `side` is "left" or "right". */
  constructor({ side, template, words }) {
    this.side = side;
    this.#words = words;
    this.#element = template.content.cloneNode(true).firstElementChild;
    this.#frame = this.#element.querySelector("iframe");
    this.#frame.id = `${side}-frame`;
    this.#element.id = side;
    this.#element.querySelector("h3").textContent = words[side];
    this.#element.setAttribute("aria-label", words[side]);
    this.#element.addEventListener("click", ({ target }) => {
      if (target.dataset.user !== undefined) this.show(target.dataset.user);
    });
    this.#element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.show(new FormData(event.target).get("user"));
    });
    this.#frame.addEventListener("load", () => this.#loaded());
  }

  get element() {
    return this.#element;
  }

  /** The document with the chat. */
  get page() {
    return this.#frame.contentDocument;
  }

  get isReady() {
    return this.page?.documentElement.dataset.state === "ready";
  }

  get visitor() {
    return this.user || this.#words.aGuest;
  }

  /** The address of this visitor's page. */
  get address() {
    const query = new URLSearchParams({ lang: document.documentElement.lang });
    const bot = new URLSearchParams(location.search).get("bot");
    if (bot) query.set("bot", bot);
    if (this.user) query.set("user", this.user);
    return `${new URL("./chat.html", import.meta.url)}?${query}`;
  }

  show(user) {
    this.user = user;
    this.#asked = true;
    // Replaced, so that the button for going back leaves the overview.
    this.#frame.contentWindow.location.replace(this.address);
    this.#mark();
  }

  #loaded() {
    const { location } = this.#frame.contentWindow;
    if (location.protocol === "about:") return; // before the first visitor
    const before = this.user;
    this.user = visitorOf(location); // somebody may have signed out in there
    this.#mark();
    if (!this.#asked) this.onLeave(before);
    this.#asked = false;
    const watched = { attributeFilter: ["data-state", "data-chat"] };
    new MutationObserver(() => this.onChange()).observe(this.page.documentElement, watched);
  }

  #mark() {
    for (const button of this.#element.querySelectorAll("[data-user]"))
      button.setAttribute("aria-pressed", String(button.dataset.user === this.user));
    const pane = this.#words[this.side];
    this.#frame.title = fill(this.#words.frame, { pane, visitor: this.visitor });
    this.onChange();
  }
}
