/* rows.js: one row of the test harness: a region, its counter, its four buttons.
 * In: a backend and what to do on a press. Out: {node, busy, show, tick}. Never calls the network itself. */
(function (W) {
  "use strict";
  const { make, say } = W.dom;
  const { ms, ago, number } = W.format;

  function create(backend, { onAction, onRemove }) {
    const value = make("output", { class: "value", "aria-live": "off" }, "–");
    const mark = make("span", { class: "mark", hidden: true }, "stale");
    const asOf = make("span", { class: "quiet small as-of" }, "not read yet");
    const state = make("p", { class: "state", role: "status" }, "not asked yet");
    const total = make("dd", {}, "–");
    const database = make("dd", {}, "–");
    let readAt = null;

    const button = (action, label, spoken) =>
      make(
        "button",
        {
          type: "button",
          "data-action": action,
          "aria-label": `${spoken} ${backend.place}`,
          on: { click: () => onAction(backend, action) },
        },
        label,
      );
    const buttons = make(
      "div",
      { class: "actions" },
      button("ping", "Ping", "Ping"),
      button("get", "Get item", "Get item from"),
      button("minus", "−", "Minus one in"),
      button("plus", "+", "Plus one in"),
    );

    const node = make(
      "article",
      { class: `row card slot-${backend.slot}`, "data-region": backend.id, "aria-label": `${backend.place}, ${backend.region}` },
      make(
        "div",
        { class: "where" },
        make("h3", {}, backend.place, backend.home ? make("span", { class: "home" }, "home") : null),
        make("p", { class: "quiet small" }, make("code", {}, backend.region)),
        state,
      ),
      make("div", { class: "count" }, make("div", { class: "count-line" }, value, mark), asOf),
      make(
        "dl",
        { class: "figures" },
        make("div", {}, make("dt", {}, "Total"), total),
        make("div", {}, make("dt", {}, "DynamoDB"), database),
      ),
      buttons,
      backend.source === "hand"
        ? make(
            "button",
            {
              type: "button",
              class: "plain remove",
              "aria-label": `Remove ${backend.place}`,
              on: { click: () => onRemove(backend) },
            },
            "Remove",
          )
        : null,
    );

    function busy(on) {
      node.classList.toggle("busy", on);
    }

    function show(answer, verdict) {
      node.classList.toggle("down", !answer.ok);
      say(state, answer.ok ? "answering" : `${answer.words.what} ${answer.words.next}`);
      say(total, ms(answer.totalMs));
      say(database, ms(answer.databaseMs));
      if (!answer.ok || answer.value === undefined) return;
      say(value, number(answer.value));
      value.classList.toggle("wordy", answer.value === null);
      mark.hidden = !verdict || verdict.kind !== "stale";
      node.classList.toggle("stale", !mark.hidden);
      readAt = answer.answeredAt;
      tick(readAt);
    }

    function tick(now) {
      if (readAt !== null) say(asOf, `as of ${ago(now - readAt)}`);
    }

    return { node, busy, show, tick };
  }

  W.rows = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
