/* start.js: the start page's row of regions, each asked once whether it is there. */
(function (W) {
  "use strict";
  const { make, byId, say } = W.dom;
  const backends = W.backends.list();
  byId("none").hidden = backends.length > 0;

  for (const backend of backends) {
    const state = make("span", { class: "state", role: "status" }, "asking");
    byId("regions").append(
      make(
        "li",
        { class: `slot-${backend.slot}` },
        make("span", { class: "swatch" }),
        make("strong", {}, backend.place),
        backend.place === backend.region ? null : make("span", { class: "quiet small" }, backend.region),
        state,
      ),
    );
    W.api.call(backend, "").then((answer) => {
      state.classList.toggle("bad", !answer.ok);
      say(state, answer.ok ? `answers in ${Math.round(answer.totalMs)} ms` : answer.words.what);
    });
  }
})((globalThis.Workshop = globalThis.Workshop || {}));
