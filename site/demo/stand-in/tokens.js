// How Coze's widget comes by its tokens.

const MISSING = "The access token is missing. Please check the configuration information.";

/** Whether the options say how to get a token; otherwise the visitor meets an alert. */
export function checkAuth(auth) {
  const sound = auth?.type === "token" && typeof auth.onRefreshToken === "function";
  if (!sound) alert("auth.type must be 'token', and auth.onRefreshToken a function.");
  return sound;
}

export class Tokens {
  #auth;
  #starting;
  #pending;

  constructor(auth) {
    this.#auth = auth;
  }

  get current() {
    return this.#auth.token ?? "";
  }

  /** Asks for the first token where the page gave none; alerts if none comes. */
  start() {
    return (this.#starting ??= this.#start().finally(() => (this.#starting = undefined)));
  }

  async #start() {
    if (this.current) return true;
    try {
      this.#auth.token = await this.#auth.onRefreshToken("");
    } catch {} // the same as no token
    if (!this.current) alert(MISSING);
    return !!this.current;
  }

  /**
   * A token in place of the one that a request failed with; `told` is what the page's function is
   * called with. A rejection is kept: every later refresh gets it, until the page is loaded anew.
   */
  async refresh(failed, ...told) {
    if (!this.#pending) {
      if (failed !== this.current) return this.current; // another request has renewed it already
      this.#pending = (async () => this.#auth.onRefreshToken(...told))();
    }
    const token = await this.#pending;
    this.#pending = undefined;
    this.#auth.token = token || "";
    return this.current;
  }
}
