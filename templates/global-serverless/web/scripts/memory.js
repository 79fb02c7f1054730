/* memory.js: the last position of each film that a region acknowledged, as this browser remembers it.
 * It is asked only when no region can say where the film was left, so that a slow start does not overwrite a bookmark with zero. */
(function (W) {
  "use strict";
  const isMap = (value) =>
    value && typeof value === "object" && !Array.isArray(value) && Object.values(value).every((v) => typeof v === "string");
  const all = () => W.storage.recall("positions", isMap, {});

  const keep = (key, value) => W.storage.keep("positions", { ...all(), [key]: value });

  function find(key) {
    const share = Object.hasOwn(all(), key) ? Number(all()[key]) : NaN;
    return share >= 0 && share <= 1 ? share : null;
  }

  W.memory = { keep, find };
})((globalThis.Workshop = globalThis.Workshop || {}));
