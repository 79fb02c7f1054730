/* choice.js: the region that takes the writes, kept from page to page.
 * In: the list of backends. Out: {active, preferred}: ids that exist. Garbage in the storage means the first region. */
(function (W) {
  "use strict";

  function load(backends) {
    const ids = backends.map((backend) => backend.id);
    const known = (id) => ids.includes(id);
    const kept = W.storage.recall("choice", (value) => value && known(value.active) && known(value.preferred), null);
    // A page opened from a file may not share its storage with the page that linked to it, so links carry the region as well.
    const linked = new URLSearchParams(globalThis.location.search).get("region");
    if (known(linked) && (!kept || kept.active !== linked)) return { active: linked, preferred: linked };
    return kept || { active: ids[0], preferred: ids[0] };
  }

  const keep = ({ active, preferred }) => W.storage.keep("choice", { active, preferred });

  W.choice = { load, keep };
})((globalThis.Workshop = globalThis.Workshop || {}));
