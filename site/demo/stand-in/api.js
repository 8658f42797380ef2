// Coze's API, called with the visitor's token.

// A missing permission (4101) is among them, though no new token mends that.
const REFRESHED = [401, 4100, 4101, 700012006];

/** An error of Coze; code 0: no answer came. */
export class CozeError extends Error {
  constructor({ code = 0, msg = "" } = {}) {
    super(msg);
    this.code = code;
  }
}

export class Api {
  #base;
  #tokens;

  constructor({ base, tokens }) {
    this.#base = base;
    this.#tokens = tokens;
  }

  /** The answer's body. */
  async json(path, body) {
    const { answer } = await this.#call(path, body, (used) => [used]);
    return answer;
  }

  /** The answer's bytes, as they come. Here the page's function is not told the old token. */
  async stream(path, body) {
    const { response } = await this.#call(path, body, () => []);
    return response.body;
  }

  async #call(path, body, told) {
    const used = this.#tokens.current;
    let result = await this.#send(path, body, used);
    if (REFRESHED.includes(result.code)) {
      const token = await this.#tokens.refresh(used, ...told(used));
      if (token) result = await this.#send(path, body, token);
    }
    if (result.code) throw new CozeError({ code: result.code, msg: result.answer?.msg });
    return result;
  }

  async #send(path, body, token) {
    const response = await fetch(this.#base + path, {
      method: body ? "POST" : "GET",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: body && JSON.stringify(body),
      credentials: "omit",
    }).catch(() => {
      throw new CozeError();
    });
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
    if (isStream) return { response };
    const answer = await response.json().catch(() => ({})); // no JSON: the status tells
    return { response, answer, code: answer.code || (response.ok ? 0 : response.status) };
  }
}
