/* results.js: the log of answers, newest first. In: an action, its answer, its verdict. Out: list entries, at most 200. */
(function (W) {
  "use strict";
  const { make, byId } = W.dom;
  const { ms, clock, number, signed } = W.format;
  const MOST = 200;
  const ACTIONS = { ping: "ping", get: "get item", plus: "plus", minus: "minus" };

  function outcome(action, answer, verdict) {
    if (!answer.ok) return answer.words.what;
    if (action === "ping") return "is there";
    if (action === "get") {
      if (answer.body.Item === null || answer.body.Item === undefined) return "has no such item";
      if (verdict && verdict.kind === "changed") return `counter is ${number(answer.value)}: changed by a later write`;
      return `counter is ${number(answer.value)}`;
    }
    return `counter ${signed(answer.by)}, now ${number(answer.value)}`;
  }

  function behind(verdict, places) {
    const { value, id, agoMs } = verdict.behind;
    return `stale: ${places.get(id)} had written ${number(value)}, ${ms(agoMs)} earlier`;
  }

  function create(places) {
    const list = byId("results");
    const none = byId("results-none");
    const shownWhenEmpty = () => {
      none.hidden = list.childElementCount > 0;
    };

    function add(action, answer, verdict) {
      const stale = verdict && verdict.kind === "stale";
      list.prepend(
        make(
          "li",
          { class: `slot-${answer.backend.slot}${answer.ok ? "" : " failed"}${stale ? " stale" : ""}` },
          make("time", { class: "quiet" }, clock(new Date())),
          make("span", { class: "tag" }, answer.backend.place),
          make(
            "span",
            { class: "what" },
            make("span", { class: "quiet" }, `${ACTIONS[action]} `),
            outcome(action, answer, verdict),
            stale ? make("span", { class: "mark" }, behind(verdict, places)) : null,
          ),
          make(
            "span",
            { class: "took" },
            ms(answer.totalMs),
            answer.databaseMs === null ? null : make("span", { class: "quiet" }, ` (${ms(answer.databaseMs)})`),
          ),
        ),
      );
      while (list.childElementCount > MOST) list.lastElementChild.remove();
      shownWhenEmpty();
    }

    function clear() {
      list.replaceChildren();
      shownWhenEmpty();
    }

    shownWhenEmpty();
    return { add, clear };
  }

  W.results = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
