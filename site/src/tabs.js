// What the tabs of a browser share: a lock and a channel, and what does in older browsers.

const NAME = "coze-session";
/** How long to wait for another tab, which may be asleep; the service copes with two requests. */
const WAIT_MS = 4_000;
const LEASE_MS = 5_000;

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
    // No Web Locks, forbidden here, or waited for long enough.
    await leased(`${NAME} ${name}`, once);
  }
}

/** @param {string} name @param {() => Promise<void>} work */
async function leased(name, work) {
  const me = String(Math.random());
  try {
    const end = Date.now() + WAIT_MS;
    while (Date.now() < end) {
      const [owner, until] = (localStorage.getItem(name) ?? "").split(" ");
      if (owner === me) break;
      if (!(Number(until) > Date.now()))
        localStorage.setItem(name, `${me} ${Date.now() + LEASE_MS}`);
      // Whoever wrote last has it, once all have had time to write.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } catch {} // no storage either: each tab asks for itself
  try {
    await work();
  } finally {
    try {
      if (localStorage.getItem(name)?.startsWith(me)) localStorage.removeItem(name);
    } catch {}
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
    return { post: (message) => open.postMessage(message), close: () => open.close() };
  } catch {
    return { post() {}, close() {} };
  }
}
