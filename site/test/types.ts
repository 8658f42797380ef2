// Compiled, never run: the declared types take what the documents show, and nothing else.
import { createSession, type Session, type SessionError } from "../coze-session.js";

const guest: Session = createSession({ endpoint: "https://sts.example.com" });
const user = createSession({
  endpoint: "https://sts.example.com",
  idToken: async (force: boolean) => (force ? "new" : null),
  guest: true,
  path: "/token/2",
  carryOver: false,
  turnstile: async () => "human",
  onError: (error: SessionError) =>
    console.warn(error.status, error.code, error.retryAfter, error.requestId),
});
createSession({ endpoint: "https://sts.example.com", idToken: "eyJ…" });
createSession({ endpoint: "https://sts.example.com", idToken: null });

const first: string = await guest.ready;
const token: string = await user.getToken();
const widget: {
  auth: { token: string; onRefreshToken: (old?: string) => Promise<string> | string };
} = {
  auth: { token: "", onRefreshToken: user.onRefreshToken },
};
await user.signOut();
console.log(first, token, widget);

// @ts-expect-error an endpoint is needed
createSession({});
// @ts-expect-error there is no such route
createSession({ endpoint: "https://sts.example.com", path: "/guest/token" });
// @ts-expect-error a misspelt option is no option
createSession({ endpoint: "https://sts.example.com", idtoken: "eyJ…" });
