// One request to the service, and what came of it.

/** @typedef {import("./rules.js").Failure} Failure */
/** @typedef {{ token: string, ms: number, ticket?: string }} Answer  ms: how long the token lives */

/**
 * @param {string} message
 * @param {Partial<Failure>} [facts]
 * @returns {Failure}
 */
export const failure = (message, facts) =>
  Object.assign(new Error(), { status: 0 }, facts, { message });

/**
 * @param {import("./world.js").World} world
 * @param {string} url
 * @param {string} idToken  "" for a guest
 * @param {Record<string, string | undefined>} body
 * @returns {Promise<Answer>}  rejects with a Failure
 */
export async function ask(world, url, idToken, body) {
  /** @type {Response | undefined} */
  let response;
  /** @type {any} */
  let answer;
  try {
    response = await world.fetch(url, {
      method: "POST",
      // Without a content type of JSON a guest's request needs no preflight.
      body: JSON.stringify(body),
      headers: idToken ? { authorization: `Bearer ${idToken}` } : {},
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout?.(20_000),
    });
    answer = await response.json();
  } catch {} // no answer, or no JSON: told by the status below
  const { access_token: token, expires_in: seconds, guest_ticket: ticket } = answer ?? {};
  if (response?.ok && token && typeof token === "string" && seconds > 0)
    return { token, ms: Math.min(seconds, 86_400) * 1000, ticket };
  const wait = response?.headers.get("retry-after");
  throw failure(answer?.error_description ?? "No token was given.", {
    status: response?.status ?? 0,
    code: answer?.error,
    requestId: answer?.request_id,
    // Not below a second: 0 and what is negative or no number name no time.
    retryAfter: Math.min(Math.max(0, Math.ceil(Number(wait))), 3600) || undefined,
  });
}
