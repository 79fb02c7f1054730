/* ledger.js: judges whether a region's answer is behind a write that this page made elsewhere.
 * In: writes and reads with their times in milliseconds. Out: for each read {kind, behind}: current, stale or changed.
 * Never guesses: a read that was sent before the write was acknowledged proves nothing and counts as current. */
(function (W) {
  "use strict";

  function create(ids) {
    const seen = new Map(); // id -> value last answered
    const superseded = new Set();
    let newest = null; // {id, value, at}
    let arrived = new Set();

    function wrote(id, value, at) {
      if (newest) superseded.add(newest.value);
      for (const old of seen.values()) superseded.add(old);
      newest = { id, value, at };
      arrived = new Set([id]);
      seen.set(id, value);
    }

    function settle(value) {
      if (ids.every((id) => seen.get(id) === value)) superseded.clear();
    }

    function read(id, value, sentAt, answeredAt) {
      seen.set(id, value);
      if (!newest || sentAt < newest.at) return { kind: "current", lagMs: null };
      if (value === newest.value) {
        const lagMs = arrived.has(id) ? null : answeredAt - newest.at;
        arrived.add(id);
        settle(value);
        return { kind: "current", lagMs };
      }
      if (id !== newest.id && superseded.has(value))
        return { kind: "stale", behind: { ...newest, agoMs: answeredAt - newest.at }, lagMs: null };
      // The writer's own region returns something else, or a value that was not written here: a later write has won.
      newest = { id, value, at: sentAt };
      arrived = new Set(ids);
      settle(value);
      return { kind: "changed", lagMs: null };
    }

    const waitingFor = () => (newest ? ids.filter((id) => !arrived.has(id)) : []);
    const latest = () => newest;
    return { wrote, read, waitingFor, latest };
  }

  W.ledger = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
