// Coze's own JWT flow. In (stdin): the options of getJWTToken. Out: what Coze answered.
import { getJWTToken } from "@coze/api";
import { readJson, report } from "./io.mjs";

await report(async () => getJWTToken(await readJson()));
