// The guest's ticket: in localStorage, or in memory where that is denied.

export function tickets() {
  /** @type {Record<string, string | undefined>} */
  const kept = {};
  /** @param {string} name */
  const get = (name) => {
    try {
      return localStorage.getItem(name) ?? kept[name];
    } catch {
      return kept[name];
    }
  };
  return {
    get,
    /** @param {string} name @param {string} ticket */
    set(name, ticket) {
      try {
        localStorage.setItem(name, ticket);
      } catch {
        kept[name] = ticket;
      }
    },
    /**
     * Another tab's ticket, for those who cannot read it from the storage.
     * @param {string} name @param {string} [ticket]
     */
    hear(name, ticket) {
      if (ticket && !get(name)) kept[name] = ticket;
    },
    /**
     * Forgets the ticket; with `only`, unless there is a newer one.
     * @param {string} name @param {string} [only]
     */
    drop(name, only) {
      if (only && get(name) !== only) return;
      delete kept[name];
      try {
        localStorage.removeItem(name);
      } catch {}
    },
  };
}
