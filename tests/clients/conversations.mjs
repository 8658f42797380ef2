// In (stdin): baseURL, token, bot_id, create (names of conversations to create first).
// Out: the conversations that this token sees.
import { CozeAPI } from "@coze/api";
import { readJson, report } from "./io.mjs";

await report(async () => {
  const { baseURL, token, bot_id, create } = await readJson();
  const coze = new CozeAPI({ baseURL, token });
  for (const name of create) {
    await coze.conversations.create({ bot_id, name });
  }
  return coze.conversations.list({ bot_id });
});
