// In (stdin): baseURL, token, conversation_id. Out: what was said in it, oldest first.
import { CozeAPI } from "@coze/api";
import { readJson, report } from "./io.mjs";

await report(async () => {
  const { baseURL, token, conversation_id } = await readJson();
  const coze = new CozeAPI({ baseURL, token });
  const { data } = await coze.conversations.messages.list(conversation_id, { order: "asc" });
  return data.map((message) => message.content);
});
