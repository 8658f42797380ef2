/** What a visitor's session is made from. */
export interface SessionOptions {
  /** The output `ApiEndpoint` of the stack, such as `https://abc123.execute-api.eu-west-1.amazonaws.com`. */
  endpoint: string;
  /**
   * The visitor's OIDC token, or a function that returns it; nothing or `""`: not signed in. The function is
   * called before each use, and with `true` where the service refused the token and a new one is needed. It
   * should not throw where nobody is signed in.
   */
  idToken?:
    | string
    | null
    | ((force: boolean) => string | null | undefined | Promise<string | null | undefined>);
  /** Whether a visitor who is not signed in is a guest. Default: only if there is no `idToken`. */
  guest?: boolean;
  /** The route for signed-in visitors: `/token/2` and `/token/3` for the second and third issuer. */
  path?: "/token" | "/token/2" | "/token/3";
  /** Whether a guest who signs in keeps the conversation. Default: true. */
  carryOver?: boolean;
  /** Returns a Turnstile token; called for new guests only. */
  turnstile?: () => string | Promise<string>;
  /** Told why a request for a token failed. */
  onError?: (error: SessionError) => void;
}

/** Why there is no token. */
export interface SessionError extends Error {
  /** HTTP status of the service's answer; 0: no answer. */
  status: number;
  /** `error` of the answer, such as `access_denied`. */
  code?: string;
  /** Seconds after which asking again may help. */
  retryAfter?: number;
  /** What the operator finds the request by, in the log. */
  requestId?: string;
}

/** A visitor's session. Nothing is asked of the service before one of these is used. */
export interface Session {
  /** The first token; `""` if there was none, until the next look. Never rejects. */
  readonly ready: Promise<string>;
  /** A token that lives; rejects with a {@link SessionError}. */
  getToken(): Promise<string>;
  /**
   * For the widget's `auth.onRefreshToken`. Never rejects; `""` only where there is no token that
   * lives. `oldToken` is the token that Coze refused.
   */
  onRefreshToken(oldToken?: string): Promise<string>;
  /** Forgets token and guest ticket, in other tabs too; this visitor's sessions give no token any more. */
  signOut(): Promise<void>;
}

/** Makes a session. Make one for each widget: those of one visitor share their requests. */
export function createSession(options: SessionOptions): Session;
