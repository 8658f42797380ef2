// The reader's own page, with what the tests do to it.
import { createApp } from "vue";
import App from "./App.vue";

const app = createApp(App);
app.mount("#root");
Object.assign(globalThis, { leave: () => app.unmount() });
