// The demo's words, and how they get into a page.
import en from "./words/en.js";
import zh from "./words/zh.js";

const ATTRIBUTES = { "aria-label": "label", placeholder: "placeholder", title: "title" };

/** The page's language: that of the address, or the browser's. */
export function language({ search, languages }) {
  const wanted = new URLSearchParams(search).get("lang") ?? languages[0] ?? "en";
  return wanted.startsWith("zh") ? "zh" : "en";
}

export const wordsOf = (lang) => (lang === "zh" ? zh : en);

export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** Coze's error in words, with its code. */
export function cozeFault(words, { code }) {
  const text = words.cozeFaults[code] ?? words.cozeFaults.other;
  return code ? `${text} (${fill(words.code, { code })})` : text;
}

/** Why there is no token, in words: of the session's error. One without a status is the login's. */
export function tokenFault(words, { status = "signIn", code, message, requestId }) {
  return [
    words.tokenFaults[status] ?? words.tokenFaults.other,
    code && message,
    requestId && fill(words.requestId, { id: requestId }),
  ]
    .filter(Boolean)
    .join(" ");
}

/** Writes a text in which `names` of code stand between backticks. */
export function write(element, text) {
  const parts = text.split("`").map((part, index) => {
    if (index % 2 === 0) return part;
    const code = document.createElement("code");
    code.textContent = part;
    return code;
  });
  element.replaceChildren(...parts);
}

/** Puts the words where the page's markup asks for them. */
export function translate(page, lang) {
  page.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  const words = wordsOf(lang);
  for (const element of page.querySelectorAll("[data-words]"))
    write(element, words[element.dataset.words]);
  for (const [attribute, name] of Object.entries(ATTRIBUTES))
    for (const element of page.querySelectorAll(`[data-words-${name}]`))
      element.setAttribute(attribute, words[element.getAttribute(`data-words-${name}`)]);
  return words;
}
