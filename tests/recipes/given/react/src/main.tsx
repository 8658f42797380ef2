// The reader's own page, with what the tests do to it.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import App from "./App";
import { CozeChat } from "./CozeChat";

const root = createRoot(document.getElementById("root")!);
const signIn = (endpoint: string, idToken: string, more: object) =>
  root.render(
    <StrictMode>
      <CozeChat endpoint={endpoint} botId="7000000000000000001" idToken={() => idToken} {...more} />
    </StrictMode>,
  );

Object.assign(globalThis, { leave: () => root.unmount(), signIn });
root.render(
  <StrictMode>
    <App />
  </StrictMode>,
);
