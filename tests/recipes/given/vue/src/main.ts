// The reader's own page, with what the tests do to it.
import { createApp, h, ref } from "vue";
import App from "./App.vue";
import CozeChat from "./CozeChat.vue";

const visitor = ref<object>();
const app = createApp(() => (visitor.value ? h(CozeChat, visitor.value) : h(App)));
app.mount("#root");
const signIn = (endpoint: string, idToken: string, more: object) => {
  const botId = "7000000000000000001";
  visitor.value = { key: idToken, endpoint, botId, idToken: () => idToken, ...more };
};
Object.assign(globalThis, { leave: () => app.unmount(), signIn });
