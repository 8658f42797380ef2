// Loads Coze's Chat SDK, or the stand-in where that is out of reach.

const PATIENCE_MS = 15_000;

/**
 * Makes `CozeWebSDK` available. Returns "coze", "stand-in" (the settings name no script) or
 * "failed" (the script did not come, and the stand-in takes its place).
 */
export async function loadWidget({ sdk, coze }) {
  if (sdk && (await loadScript(sdk)) && globalThis.CozeWebSDK?.WebChatClient) return "coze";
  globalThis.CozeStandInBase = coze;
  await import("./stand-in-widget.js");
  return sdk ? "failed" : "stand-in";
}

function loadScript(url) {
  return new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(true);
    script.onerror = () => resolve(false);
    setTimeout(resolve, PATIENCE_MS, false);
    document.head.append(script);
  });
}
