/* trials.js: the two experiment cards: press, watch, read what happened.
 * In: backends, the counter, where to note each answer. Out: a timeline, a sentence, a table of every call. */
(function (W) {
  "use strict";
  const { make, byId } = W.dom;
  const { ms, number, signed } = W.format;
  const HEADLINES = {
    stale: "Replicated",
    "at-once": "Replicated at once",
    conflict: "Last writer wins",
    "no-conflict": "No conflict this time",
    never: "Still apart",
    disturbed: "Another client is writing",
    failed: "Stopped",
  };

  function everyCall(record, places) {
    const writes = record.events.filter((e) => e.what === "write");
    const zero = (writes[0] || record.events[0] || { at: 0 }).at;
    return make(
      "details",
      { class: "calls small" },
      make("summary", {}, `Every call in order (${record.events.length})`),
      make(
        "table",
        {},
        make(
          "thead",
          {},
          make("tr", {}, ...["Answered", "Region", "Call", "Counter"].map((h) => make("th", { scope: "col" }, h))),
        ),
        make(
          "tbody",
          {},
          ...record.events.map((e) =>
            make(
              "tr",
              {},
              make("td", {}, `${e.at < zero ? "−" : ""}${ms(Math.abs(e.at - zero))}`),
              make("td", {}, places.get(e.id)),
              make("td", {}, e.what === "write" ? `write ${signed(e.by)}` : "read"),
              make("td", {}, e.ok ? number(e.value) : "no answer"),
            ),
          ),
        ),
      ),
    );
  }

  function attach(backends, { counter, note, lag, pause, resume }) {
    const places = new Map(backends.map((backend) => [backend.id, backend.place]));
    const [a, b] = backends;
    const shown = new Map(); // box -> redraw

    const tools = {
      now: () => performance.now(),
      wait: (time) =>
        new Promise((resolve) => {
          setTimeout(resolve, time);
        }),
      read: async (backend) => {
        const answer = await counter.read(backend);
        note(answer, "get");
        return answer;
      },
      change: async (backend, by) => {
        const answer = await counter.change(backend, by);
        note(answer, by > 0 ? "plus" : "minus");
        return answer;
      },
    };

    function show(box, record) {
      const figure = make("div", { class: "figure" });
      box.replaceChildren(
        make(
          "p",
          { class: `headline ${record.outcome}`, role: "status" },
          make("strong", {}, HEADLINES[record.outcome]),
          record.lag && record.outcome === "stale"
            ? make("span", { class: "quiet" }, ` in ${ms(record.lag.least)} to ${ms(record.lag.most)}`)
            : null,
        ),
        figure,
        make("p", { class: "words" }, record.words),
        everyCall(record, places),
      );
      const redraw = () =>
        record.events.some((e) => e.ok) &&
        figure.replaceChildren(W.timeline.render(record, [a, b], Math.max(280, figure.clientWidth)));
      shown.set(box, redraw);
      redraw();
    }

    function prepare(name) {
      const button = byId(`${name}-run`);
      const box = byId(`${name}-result`);
      const both = [byId("replication-run"), byId("conflict-run")];
      if (!b) {
        button.disabled = true;
        box.append(make("p", { class: "quiet small" }, "Needs two regions. Add another API above."));
        return;
      }
      button.addEventListener("click", async () => {
        for (const each of both) each.disabled = true;
        button.setAttribute("aria-busy", "true");
        box.replaceChildren(make("p", { class: "quiet", role: "status" }, `Asking ${a.place} and ${b.place} ...`));
        pause();
        const record = await W.experiments[name](tools, a, b);
        if (record.outcome === "stale") lag(b, record.lag.most, performance.now());
        show(box, record);
        resume();
        button.removeAttribute("aria-busy");
        for (const each of both) each.disabled = false;
      });
    }

    prepare("replication");
    prepare("conflict");
    globalThis.addEventListener("resize", () => {
      for (const redraw of shown.values()) redraw();
    });
  }

  W.trials = { attach };
})((globalThis.Workshop = globalThis.Workshop || {}));
