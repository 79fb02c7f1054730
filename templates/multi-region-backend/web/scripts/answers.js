/* answers.js: the log of answers, newest first: which region, how the name was resolved, how long it took.
 * In: an answer, what it was about, how long the kept answer still holds. Out: list entries, at most 150. */
(function (W) {
  "use strict";
  const { make, byId } = W.dom;
  const { ms, clock } = W.format;
  const MOST = 150;

  function source(answer, seconds) {
    if (answer.target.id !== "the name") return "own address";
    if (answer.source === "asked") return "asked DNS";
    if (answer.source === "cache") return seconds === null ? "from cache" : `cached for ${Math.max(0, Math.ceil(seconds))} s`;
    return answer.source === "address" ? "own resolver" : "by name";
  }

  function create(world) {
    const list = byId("answers");
    const known = new Map(world.regions.map((region) => [region.id, region]));

    function add(answer, what, seconds) {
      const region = known.get(answer.region);
      list.prepend(
        make(
          "li",
          { class: `${region ? `slot-${region.slot}` : ""}${answer.ok ? "" : " failed"}` },
          make("time", { class: "quiet" }, clock(new Date())),
          make("span", { class: "tag" }, region ? region.place : answer.region || "no answer"),
          make("span", { class: "what" }, answer.ok ? what : answer.words),
          make("span", { class: `source ${answer.source}` }, source(answer, seconds)),
          make("span", { class: "took" }, ms(answer.ms)),
        ),
      );
      while (list.childElementCount > MOST) list.lastElementChild.remove();
      byId("answers-none").hidden = true;
    }

    function clear() {
      list.replaceChildren();
      byId("answers-none").hidden = false;
    }

    return { add, clear };
  }

  W.answers = { create, source };
})((globalThis.Workshop = globalThis.Workshop || {}));
