// What Coze built of its components for browsers.
import sdk from "@coze/chat-sdk/webJs";

export const { ChatFramework, ChatSlot, ChatType, Language } = sdk as any;
