// The guest's ticket at one endpoint: in localStorage, or in memory where that is denied.

/** @param {string} endpoint  an origin may have pages of two sites, each with a service of its own */
export function tickets(endpoint) {
  const name = `coze-sts-guest-ticket ${endpoint}`;
  /** @type {string | undefined} */
  let kept;
  const get = () => {
    try {
      return localStorage.getItem(name) ?? kept;
    } catch {
      return kept;
    }
  };
  return {
    get,
    /** @param {string} ticket */
    set(ticket) {
      try {
        localStorage.setItem(name, ticket);
      } catch {
        kept = ticket;
      }
    },
    /**
     * Another tab's ticket, for those who cannot read it from the storage.
     * @param {string} [ticket]
     */
    hear(ticket) {
      if (ticket && !get()) kept = ticket;
    },
    /**
     * Forgets the ticket; with `only`, unless there is a newer one.
     * @param {string} [only]
     */
    drop(only) {
      if (only && get() !== only) return;
      kept = undefined;
      try {
        localStorage.removeItem(name);
      } catch {}
    },
  };
}
