// The checks of the overview: each answers `{state, text}`, where the state is "ok", "bad" or "note".
import { Api, CozeError } from "./stand-in/api.js";
import { Conversation } from "./stand-in/conversation.js";
import { sessionOf } from "./visitor.js";
import { cozeFault, fill } from "./words.js";

const QUOTA = [4008, 4019, 4027, 4028];

const ok = (text) => ({ state: "ok", text });
const bad = (text) => ({ state: "bad", text });
const note = (text) => ({ state: "note", text });

/** What the checks ask Coze with; undefined where the visitor gets no token. */
export async function apiOf(settings, user) {
  const token = await sessionOf(settings, user).ready;
  // A check shows the first answer, so a refused token is not replaced.
  const tokens = { current: token, refresh: async () => "" };
  return token ? new Api({ base: settings.coze, tokens }) : undefined;
}

/** Each of `visitors`, the left one and the right one, is `{user, visitor, api}`. */
export async function isolation(words, botId, visitors) {
  const [left, right] = visitors;
  if (left.user === right.user) return note(words.isolationSame);
  const nobody = visitors.find(({ api }) => !api);
  if (nobody) return bad(fill(words.noToken, nobody));
  return guarded(words, async () => {
    const [own, others] = await Promise.all(visitors.map(({ api }) => conversations(api, botId)));
    if (!own.length || !others.length) return note(words.isolationNone);
    const shared = own.some((id) => others.includes(id));
    if (shared || (await canRead(left.api, others[0])) || (await canRead(right.api, own[0])))
      return bad(words.isolationBad);
    const names = { left: left.visitor, right: right.visitor };
    const counts = { leftCount: own.length, rightCount: others.length };
    return ok(fill(words.isolationOk, { ...names, ...counts }));
  });
}

export const userInfo = (words, isolated) =>
  isolated.state === "ok" ? ok(words.userInfoOk) : note(words.userInfoNote);

export function webView(words, panes) {
  if (!panes.every(({ isReady }) => isReady)) return note(words.paneNotReady);
  const framed = panes.some(({ page }) => page.querySelector("iframe"));
  return framed ? bad(words.webViewBad) : ok(words.webViewOk);
}

export const audio = (words, isSecure) => (isSecure ? ok(words.audioOk) : bad(words.audioBad));

export function ball(words, panes) {
  if (!panes.every(({ isReady }) => isReady)) return note(words.paneNotReady);
  const balls = panes.some(({ page }) => page.querySelector('[class*="coze-ast-btn"]'));
  return balls ? bad(words.ballBad) : ok(words.ballOk);
}

/** The opening statement, read as the widget reads it. */
export async function opening(words, botId, { visitor, api }) {
  if (!api) return bad(fill(words.noToken, { visitor }));
  return guarded(words, async () => {
    const { prologue } = await new Conversation({ api, botId }).bot();
    return prologue ? ok(fill(words.openingOk, { visitor, prologue })) : note(words.openingEmpty);
  });
}

/** One chat with the bot: the only way to see whether there is quota left. */
export async function quota(words, botId, { visitor, api }) {
  if (!api) return bad(fill(words.noToken, { visitor }));
  return guarded(words, async () => {
    for await (const _ of new Conversation({ api, botId }).say(words.quotaHello)) break;
    return ok(words.quotaOk);
  });
}

/** What a pane's widget reported; undefined if it has nothing to do with the quota. */
export function quotaReport(words, { type, data }) {
  if (type !== "chat-sdk-error" || !QUOTA.includes(data?.code)) return undefined;
  return bad(fill(words.quotaSeen, { fault: cozeFault(words, data) }));
}

async function guarded(words, check) {
  try {
    return await check();
  } catch (fault) {
    return bad(fill(words.apiFault, { fault: cozeFault(words, fault) }));
  }
}

async function conversations(api, botId) {
  const { data } = await api.json(`/v1/conversations?${new URLSearchParams({ bot_id: botId })}`);
  return data.conversations.map(({ id }) => id);
}

async function canRead(api, id) {
  const query = new URLSearchParams({ conversation_id: id });
  try {
    await api.json(`/v1/conversation/message/list?${query}`, { order: "desc", limit: 1 });
    return true;
  } catch (fault) {
    if (fault instanceof CozeError && fault.code) return false;
    throw fault; // no answer shows nothing
  }
}
