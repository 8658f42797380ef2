import { createSession as create } from "./session.js";
import { browser } from "./world.js";

/** @param {import("../coze-session.js").SessionOptions} options */
export const createSession = (options) => create(options, browser());
