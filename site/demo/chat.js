// A page with Coze's chat for one visitor: the model to copy.
import { askForBot, botOf } from "./bot.js";
import { readSettings } from "./settings.js";
import { sessionOf, visitorOf } from "./visitor.js";
import { loadWidget } from "./widget.js";
import { fill, language, tokenFault, translate, write } from "./words.js";

const page = document.documentElement;
const find = (id) => document.getElementById(id);
const lang = language({ search: location.search, languages: navigator.languages });
const words = translate(document, lang);
const user = visitorOf(location);

find("who").textContent = user ? fill(words.signedInAs, { visitor: user }) : words.guestHere;
document.title = fill(words.chatTitle, { visitor: user || words.aGuest });
find("retry").addEventListener("click", () => location.reload());

page.dataset.state = await start();

/** What became of the page: "ready", or what is missing. */
async function start() {
  const settings = await readSettings();
  if (!settings) {
    say(words.noSettings);
    return "no-settings";
  }
  if (!botOf(settings, location)) {
    askForBot(find("bot-form"));
    find("hint").hidden = find("chat-toggle").hidden = true;
    return "no-bot";
  }
  const session = sessionOf(settings, user);
  offerSignOut(session);
  // Without any token the widget would call alert(), so it is not begun.
  if (!(await session.ready)) {
    showFault(await session.getToken().catch((fault) => fault));
    return "no-token";
  }
  const widget = await loadWidget(settings);
  page.dataset.widget = widget === "coze" ? "coze" : "stand-in";
  if (widget === "stand-in") say(words.standIn);
  if (widget === "failed") say(fill(words.sdkFailed, { url: settings.sdk }));
  offerChat(makeChat(settings, session));
  return "ready";
}

function makeChat(settings, session) {
  return new CozeWebSDK.WebChatClient({
    config: { bot_id: botOf(settings, location), isIframe: false },
    // Empty, so that the widget asks for it: the widget logs its options to the console.
    auth: { type: "token", token: "", onRefreshToken: session.onRefreshToken },
    // The same for everybody, to show that userInfo keeps nobody apart.
    userInfo: { id: "visitor", nickname: words.userNickname, url: "" },
    ui: {
      base: { lang: page.lang === "en" ? "en" : "zh-CN" },
      asstBtn: { isNeed: false },
      chatBot: {
        title: words.botName,
        isNeedAudio: window.isSecureContext,
        el: find("chat"),
        onShow: () => showState("open"),
        onHide: () => showState("closed"),
      },
    },
  });
}

function offerChat(chat) {
  const toggle = find("chat-toggle");
  toggle.disabled = false;
  showState("closed");
  toggle.addEventListener("click", () =>
    page.dataset.chat === "open" ? chat.hideChatBot() : chat.showChatBot(),
  );
}

function showState(state) {
  const open = state === "open";
  page.dataset.chat = state;
  find("chat-toggle").setAttribute("aria-expanded", String(open));
  find("chat-toggle").textContent = open ? words.closeChat : words.openChat;
  find("hint").textContent = words.hint;
  find("hint").hidden = open;
}

/** The widget keeps the token that it has, so the page is loaded anew: for a guest now. */
function offerSignOut(session) {
  const button = find("sign-out");
  button.textContent = user ? words.signOut : words.newGuest;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await session.signOut();
    const address = new URL(location.href);
    address.searchParams.delete("user");
    location.replace(address);
  });
}

function showFault(fault) {
  find("fault-text").textContent = tokenFault(words, fault);
  find("fault").hidden = false;
  find("hint").hidden = find("chat-toggle").hidden = true;
}

function say(text) {
  write(find("notice"), text);
  find("notice").hidden = false;
}
