/* log-view.js: the requests of this page, newest first: what was asked, which region answered, how long it took.
 * In: answers of reach.js. Out: list entries, at most 60. A /health that says what the one before said is left out. */
(function (W) {
  "use strict";
  const { make, byId, say } = W.dom;
  const { ms, clock } = W.format;
  const MOST = 60;

  function create(world) {
    const known = new Map(world.regions.map((region) => [region.id, region]));
    const list = byId("log");
    let count = 0;
    let before = "";

    function outcome(answer) {
      if (answer.kind === "ok") return String(answer.status);
      if (answer.kind === "status") return `status ${answer.status}`;
      return { network: "no answer", timeout: "silent", garbled: "not JSON" }[answer.kind] ?? answer.kind;
    }

    function add(answer) {
      const path = `/${answer.path.split("?")[0]}`;
      const shown = `${answer.region} ${answer.status}`;
      if (path === "/health" && shown === before) return;
      before = shown;
      count += 1;
      const region = known.get(answer.region);
      list.prepend(
        make(
          "li",
          { class: `${region ? `slot-${region.slot}` : ""}${answer.ok ? "" : " failed"}` },
          make("time", { class: "quiet" }, clock(new Date())),
          make("code", { class: "asked" }, `${answer.method} ${path}`),
          make("span", { class: "tag" }, region?.place ?? (answer.region || "–")),
          make("span", { class: "outcome" }, outcome(answer)),
          make("span", { class: "took" }, ms(answer.ms)),
        ),
      );
      while (list.childElementCount > MOST) list.lastElementChild.remove();
      say(byId("log-count"), String(count));
    }

    return { add };
  }

  W.logView = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
