/* feed.js: what the local cloud shows of names, once a second while the page is seen: records, health checks, kept answers.
 * In: whether there is a local cloud at all, and what to do with each document. Out: {start}. null is handed on when nothing came.
 * On AWS, and for pages opened from a folder, there is no feed: the page then knows what it probes by itself. */
(function (W) {
  "use strict";
  const ADDRESS = "_feed/names.json";
  const EVERY_MS = 1000;

  async function once() {
    try {
      const response = await fetch(ADDRESS, { cache: "no-store", credentials: "omit" });
      const found = response.ok ? await response.json() : null;
      return found && found.version === 1 && Array.isArray(found.zones) && Array.isArray(found.checks) ? found : null;
    } catch {
      return null;
    }
  }

  function create(local, onDocument) {
    const offered = local && globalThis.location.protocol.startsWith("http");

    async function turn() {
      if (!document.hidden) onDocument(offered ? await once() : null);
      if (offered) setTimeout(turn, EVERY_MS);
    }

    return { start: turn, offered };
  }

  W.feed = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
