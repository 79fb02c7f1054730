/* lanes.js: one lane for each region: whether DNS gives it out, its checkers, this page's own probe, what it took.
 * In: a region, a record of the picture, a probe, counts. Out: {node, show}. Never calls the network itself. */
(function (W) {
  "use strict";
  const { make, say } = W.dom;
  const { ms } = W.format;

  function verdict(record, kind) {
    if (!record) return { words: "has no record", look: "bad" };
    const { check, healthy, well } = record;
    if (!healthy && well) return { words: "healthy, and withdrawn", look: "bad" };
    if (healthy && !well) return { words: kind === "name" ? "broken, and still given out" : "broken", look: "bad" };
    if (!healthy) return { words: kind === "name" ? "unhealthy: withdrawn" : "unhealthy", look: "bad" };
    if (check && check.lights.some((light) => !light.healthy || light.streak)) return { words: "healthy, with doubts", look: "warn" };
    return { words: "healthy", look: "good" };
  }

  function summary(check) {
    if (!check) return "no health check";
    const well = check.lights.filter((light) => light.healthy).length;
    if (check.own) return "as this page sees it";
    if (!check.lights.length) return "no checker has looked yet";
    const what = check.crossed ? W.places.place(check.watches) : "it";
    return `${well} of ${check.lights.length} checkers call ${what} healthy`;
  }

  function create(region) {
    const state = make("strong", { class: "verdict" });
    const bulbs = make("div", { class: "bulbs" });
    const heads = make("span", { class: "quiet small" });
    const probe = make("dd", {}, "–");
    const took = make("dd", {}, "0");
    const part = make("dd", {}, "–");
    const node = make(
      "article",
      { class: `lane card slot-${region.slot}`, "data-region": region.id, "aria-label": `${region.place}, ${region.id}` },
      make(
        "div",
        { class: "where" },
        make("h3", {}, region.place, region.home ? make("span", { class: "home" }, "home") : null),
        make("code", { class: "quiet small" }, region.id),
      ),
      make("div", { class: "health" }, state, bulbs, heads),
      make(
        "dl",
        { class: "figures" },
        make("div", {}, make("dt", {}, "Own /health"), probe),
        make("div", {}, make("dt", {}, "Items taken"), took),
        make("div", {}, make("dt", {}, "Share now"), part),
      ),
    );

    let drawn = "";

    function show(record, kind, probed, count) {
      const { words, look } = verdict(record, kind);
      say(state, words);
      state.className = `verdict ${look}`;
      node.classList.toggle("down", look === "bad");
      const lights = record?.check?.lights ?? [];
      const fresh = JSON.stringify(lights);
      if (fresh !== drawn) bulbs.replaceChildren(W.lights.list(lights, record?.check?.threshold ?? 1));
      drawn = fresh;
      say(heads, summary(record?.check));
      say(probe, !probed ? "–" : probed.ok ? ms(probed.ms) : probed.status ? `status ${probed.status}` : "no answer");
      say(took, String(count));
      say(part, !record || record.share === null ? "–" : `${Math.round(record.share * 100)} %`);
    }

    return { node, show };
  }

  W.lanes = { create, verdict };
})((globalThis.Workshop = globalThis.Workshop || {}));
