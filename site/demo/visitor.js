// The demo's visitors: who is here, and their session.
import { createSession } from "../coze-session.js";

/** The visitor that the address names; "" is a guest. */
export const visitorOf = ({ search }) => new URLSearchParams(search).get("user") ?? "";

/**
 * The session of this visitor. On your site `idToken` is your login's: a function that returns the
 * OIDC token of whoever is signed in.
 */
export const sessionOf = (settings, user) =>
  createSession({
    endpoint: settings.endpoint,
    idToken: user ? demoLogin(settings.issuer, user) : undefined,
    carryOver: false, // the guest in the other pane must stay a guest; your site leaves this out
  });

/** Signs in anybody who says a name, as only a demo may. The ID token stays in memory. */
function demoLogin(issuer, user) {
  let idToken;
  return async (force) => {
    if (force || !idToken) {
      const body = new URLSearchParams({ user });
      const response = await fetch(`${issuer}/token`, { method: "POST", body });
      idToken = (await response.json()).id_token;
    }
    return idToken;
  };
}
