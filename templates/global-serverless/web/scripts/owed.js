/* owed.js: positions that no region had taken when a page was left. They are kept here and written by the next page.
 * In: key, value, thumb. Out: nothing is forgotten before a region has acknowledged it. */
(function (W) {
  "use strict";
  const isEntry = (e) => e && typeof e.value === "string" && typeof e.thumb === "string";
  const isMap = (value) => value && typeof value === "object" && !Array.isArray(value) && Object.values(value).every(isEntry);
  const all = () => W.storage.recall("owed", isMap, {});

  const keep = (key, value, thumb) => W.storage.keep("owed", { ...all(), [key]: { value, thumb } });

  function clear(key) {
    const rest = all();
    if (!Object.hasOwn(rest, key)) return;
    delete rest[key];
    W.storage.keep("owed", rest);
  }

  const find = (key) => (Object.hasOwn(all(), key) ? all()[key].value : null);

  async function settle(backends, activeId, except) {
    for (const [key, { value, thumb }] of Object.entries(all())) {
      if (key === except) continue;
      const { answer } = await W.library.firstAnswer(backends, activeId, W.films.writePath(key, value, thumb));
      if (answer && find(key) === value) clear(key);
    }
  }

  W.owed = { keep, clear, find, settle };
})((globalThis.Workshop = globalThis.Workshop || {}));
