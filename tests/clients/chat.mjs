// In (stdin): baseURL, token, bot_id, words, stream, and conversation_id to go on with one.
// Out: conversation_id, and what the bot said.
import { CozeAPI } from "@coze/api";
import { readJson, report } from "./io.mjs";

async function streamed(coze, asked) {
  let said = "";
  let conversation_id;
  for await (const { event, data } of coze.chat.stream(asked)) {
    if (event === "conversation.chat.created") conversation_id = data.conversation_id;
    if (event === "conversation.message.delta") said += data.content;
    if (event === "error") throw Object.assign(new Error(data.msg), data);
  }
  return { conversation_id, said };
}

async function polled(coze, asked) {
  const { chat, messages } = await coze.chat.createAndPoll(asked);
  const answer = messages.find((message) => message.type === "answer");
  return { conversation_id: chat.conversation_id, said: answer.content };
}

await report(async () => {
  const { baseURL, token, words, stream, ...asked } = await readJson();
  const coze = new CozeAPI({ baseURL, token });
  asked.additional_messages = [{ role: "user", content: words, content_type: "text" }];
  return (stream ? streamed : polled)(coze, asked);
});
