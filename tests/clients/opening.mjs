// In (stdin): baseURL, token, bot_id. Out: the bot's opening statement.
import { CozeAPI } from "@coze/api";
import { readJson, report } from "./io.mjs";

await report(async () => {
  const { baseURL, token, bot_id } = await readJson();
  const bot = await new CozeAPI({ baseURL, token }).bots.retrieveNew(bot_id);
  return bot.onboarding_info.prologue;
});
