// For pages without modules: <script src="coze-session.classic.js"> gives the global CozeSession.
import { createSession } from "./index.js";

Object.assign(globalThis, { CozeSession: { createSession } });
