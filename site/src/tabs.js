// What the tabs of a browser share: a lock and a channel. Without them each asks for itself.

const NAME = "coze-session";
/** How long to wait for another tab, which may be asleep; the service copes with two requests. */
const WAIT_MS = 3_000;

/**
 * Does the work while no other tab does its own under this name.
 * @param {string} name
 * @param {() => Promise<void>} work
 */
export async function lock(name, work) {
  let begun = false;
  const once = () => {
    begun = true;
    return work();
  };
  try {
    await navigator.locks.request(
      `${NAME} ${name}`,
      { signal: AbortSignal.timeout(WAIT_MS) },
      once,
    );
  } catch (error) {
    if (begun) throw error;
    // No Web Locks, forbidden here, or waited for long enough: the service lets one exchange.
    await work();
  }
}

/**
 * Speaks to this page's other sessions and to the other tabs'.
 * @param {(message: any) => void} hear
 * @returns {import("./world.js").Channel}
 */
export function channel(hear) {
  try {
    const open = new BroadcastChannel(NAME);
    open.onmessage = ({ data }) => hear(data);
    const post = (/** @type {object} */ message) => {
      try {
        open.postMessage(message);
      } catch {} // closed, or not to be copied
    };
    return { post, close: () => open.close() };
  } catch {
    return { post() {}, close() {} };
  }
}
