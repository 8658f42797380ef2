// The overview: two panes, the checks, and the snippet.
import { askForBot, botOf } from "./bot.js";
import { Pane } from "./panes.js";
import { readSettings } from "./settings.js";
import { copy, snippetOf } from "./snippet.js";
import { Verdicts } from "./verdicts.js";
import { fill, language, translate, write } from "./words.js";

const find = (id) => document.getElementById(id);
const lang = language({ search: location.search, languages: navigator.languages });
const words = translate(document, lang);
document.title = words.title;
linkOtherLanguage();

document.documentElement.dataset.state = await start();

/** What became of the page: "ready", or what is missing. */
async function start() {
  const settings = await readSettings();
  if (!settings) {
    write(find("notice"), words.noSettings);
    find("notice").hidden = false;
    return "no-settings";
  }
  const botId = botOf(settings, location);
  if (!botId) {
    askForBot(find("bot-form"));
    return "no-bot";
  }
  find("demo").hidden = false;
  offerSnippet({ ...settings, botId });
  const panes = makePanes();
  const verdicts = new Verdicts({ words, settings, botId, panes });
  listen(panes, verdicts);
  showVisitors(panes);
  return "ready";
}

function makePanes() {
  const panes = ["left", "right"].map((side) => new Pane({ side, template: find("pane"), words }));
  find("panes").append(...panes.map(({ element }) => element));
  translate(document, lang);
  return panes;
}

function listen([left, right], verdicts) {
  for (const [pane, other] of [
    [left, right],
    [right, left],
  ]) {
    pane.onChange = () => {
      tellVisitors([left, right]);
      verdicts.checkSoon();
    };
    // Whoever signs out is signed out in the other pane too.
    pane.onLeave = (user) => other.user === user && other.show(pane.user);
  }
}

/** The visitors that the address names; alice and bob if it names none. */
function showVisitors([left, right]) {
  const query = new URLSearchParams(location.search);
  right.user = query.get("right") ?? "bob";
  left.show(query.get("left") ?? "alice");
  right.show(right.user);
}

function tellVisitors([left, right]) {
  const query = new URLSearchParams(location.search);
  query.set("left", left.user);
  query.set("right", right.user);
  history.replaceState(null, "", `?${query}`);
  linkOtherLanguage();
  const same = left.user === right.user;
  find("same").hidden = !same;
  if (same) find("same").textContent = left.user ? fill(words.sameUser, left) : words.sameGuest;
  find("alone").href = left.address;
}

function linkOtherLanguage() {
  const other = lang === "zh" ? "en" : "zh";
  const query = new URLSearchParams(location.search);
  query.set("lang", other);
  const link = find("language");
  link.href = `?${query}`;
  link.lang = link.hreflang = other;
  link.textContent = words.other;
}

function offerSnippet(settings) {
  find("snippet").textContent = snippetOf(settings);
  find("copy").addEventListener("click", async () => {
    const copied = await copy(find("snippet"));
    find("copy-status").textContent = copied ? words.copied : words.copyFailed;
  });
}
