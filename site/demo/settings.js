// What the server says about itself: {endpoint, issuer, coze, botId, sdk, standIn}.

/** The settings; undefined where there are none, as when the page is opened as a file. */
export async function readSettings() {
  try {
    const response = await fetch(new URL("./settings.json", import.meta.url));
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
}
