// A small stand-in for Coze's Chat SDK, for where that cannot be loaded. It asks for tokens and
// treats errors as the open-source build does, faults included; the rest is as little as a chat
// needs. `CozeStandInBase` is the address of Coze's API.
import { WebChatClient } from "./stand-in/client.js";

globalThis.CozeWebSDK = { WebChatClient };
