/* storage.js: what this browser remembers, under one prefix; below `tab`, what this tab alone remembers until it is closed.
 * In: a key and a check that tells a usable value from garbage. Out: the value, or the given default.
 * Never throws: storage may be switched off, full, or contain what another page wrote there. */
(function (W) {
  "use strict";
  const config = globalThis.WORKSHOP_CONFIG;
  const prefix = `workshop:${(config && typeof config.workshop === "string" && config.workshop) || "global-serverless"}:`;

  function shelf(kind) {
    function recall(key, usable, otherwise) {
      try {
        const value = JSON.parse(globalThis[kind].getItem(prefix + key));
        return usable(value) ? value : otherwise;
      } catch {
        return otherwise;
      }
    }

    function keep(key, value) {
      try {
        globalThis[kind].setItem(prefix + key, JSON.stringify(value));
        return true;
      } catch {
        return false;
      }
    }

    function forget(key) {
      try {
        globalThis[kind].removeItem(prefix + key);
      } catch {
        // Nothing was kept, so nothing is left to forget.
      }
    }

    return { recall, keep, forget };
  }

  W.storage = { ...shelf("localStorage"), tab: shelf("sessionStorage") };
})((globalThis.Workshop = globalThis.Workshop || {}));
