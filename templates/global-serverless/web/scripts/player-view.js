/* player-view.js: what the player shows: the state of the writes, the regions' progress, the log.
 * In: the failover state and figures. Out: text on the page. Decides nothing. */
(function (W) {
  "use strict";
  const { make, byId, say } = W.dom;
  const { ms, clock, percent } = W.format;
  const MOST_LINES = 200;

  function sentences(state, place, facts) {
    const active = place(state.active);
    const preferred = place(state.preferred);
    const outlook =
      facts.next === null
        ? "There is no other region to move to; the newest position is kept here and tried again."
        : `Unless it recovers, the writes move to ${facts.next} when the countdown ends.`;
    return {
      steady: {
        tone: "good",
        headline: `${active} takes the writes.`,
        detail:
          facts.lastFailure && state.cause === "recovered"
            ? `It had failed for a moment: ${facts.lastFailure}`
            : "The bookmark is written about twice a second and replicated to every other region.",
      },
      failing: {
        tone: "bad",
        headline: `Writes to ${active} are failing.`,
        detail: `${facts.lastFailure} ${outlook} The film goes on.`,
      },
      away: {
        tone: "warn",
        headline: `${active} takes the writes now.`,
        detail: `${facts.summary} ${preferred} is asked again and again.`.trim(),
      },
      offering: {
        tone: "good",
        headline: `${preferred} answers again.`,
        detail: `${active} still takes the writes. Going back is your choice.`,
      },
      stranded: {
        tone: "bad",
        headline: "No region takes writes.",
        detail: `${facts.lastFailure} The film goes on; the newest position is kept here and written to the first region that answers.`,
      },
    }[state.phase];
  }

  function readings(box, backends) {
    const parts = new Map();
    for (const backend of backends) {
      const bar = make("span", { class: "fill" });
      const value = make("span", { class: "share" }, "–");
      const words = make("p", { class: "quiet small words" }, "not read yet");
      const badge = make("span", { class: "badge", hidden: true }, "active");
      const node = make(
        "section",
        {
          class: `reading slot-${backend.slot}`,
          "data-region": backend.id,
          "aria-label": `Progress as read from ${backend.place}`,
        },
        make("div", { class: "reading-head" }, make("strong", { class: "tag" }, backend.place), badge, value),
        make("div", { class: "bar" }, bar),
        words,
      );
      box.append(node);
      parts.set(backend.id, { node, bar, value, words, badge });
    }
    return parts;
  }

  function create(backends) {
    const places = new Map(backends.map((backend) => [backend.id, backend.place]));
    const place = (id) => places.get(id) ?? id;
    const slots = new Map(backends.map((backend) => [backend.id, backend.slot]));
    const parts = readings(byId("readings"), backends);
    const strip = W.strip.create(byId("strip"));
    const log = byId("log");

    function line(slot, name, ...children) {
      log.prepend(
        make(
          "li",
          { class: slot ? `slot-${slot}` : "event" },
          make("time", { class: "quiet" }, clock(new Date())),
          make("span", { class: "tag" }, name),
          ...children,
        ),
      );
      while (log.childElementCount > MOST_LINES) log.lastElementChild.remove();
    }

    function state(current, facts) {
      const { tone, headline, detail } = sentences(current, place, facts);
      byId("status").className = `status ${tone} slot-${slots.get(current.active)}`;
      byId("status").dataset.phase = current.phase;
      byId("status").dataset.active = current.active;
      say(byId("headline"), headline);
      say(byId("detail"), detail);
      byId("switch-now").hidden = current.phase !== "failing" || facts.next === null;
      byId("go-back").hidden = byId("stay").hidden = current.phase !== "offering";
      say(byId("switch-now"), `Switch to ${facts.next} now`);
      say(byId("go-back"), `Go back to ${place(current.preferred)}`);
      say(byId("stay"), `Stay in ${place(current.active)}`);
      for (const [id, part] of parts) part.badge.hidden = id !== current.active;
    }

    function countdown(left) {
      byId("count").hidden = left === null;
      if (left !== null) say(byId("count"), String(Math.ceil(left / 1000)));
    }

    function write({ region, value, answer }) {
      strip.add(slots.get(region), answer.ok, answer.totalMs);
      if (answer.ok) say(byId("latency"), ms(answer.totalMs));
      line(
        slots.get(region),
        place(region),
        make("span", { class: answer.ok ? "value" : "value failed" }, value),
        make(
          "span",
          { class: answer.ok ? "quiet" : "failed" },
          answer.ok
            ? `${ms(answer.totalMs)}${answer.databaseMs === null ? "" : ` (DynamoDB ${ms(answer.databaseMs)})`}`
            : `not taken: ${answer.words.brief}`,
        ),
      );
    }

    const event = (name, text) => line(null, name, make("span", { class: "wide" }, text));

    function reading(id, answer, share, behindMs) {
      const part = parts.get(id);
      part.node.classList.toggle("down", !answer.ok);
      if (!answer.ok) {
        say(part.words, answer.words.what);
        return;
      }
      say(part.value, share === null ? "no bookmark" : percent(share));
      if (share !== null) part.bar.style.setProperty("--share", `${share * 100}%`);
      say(
        part.words,
        share === null
          ? "nothing is stored there yet"
          : behindMs === null
            ? `read in ${ms(answer.totalMs)}`
            : `${(Math.max(0, behindMs) / 1000).toFixed(1)} s of film behind, read in ${ms(answer.totalMs)}`,
      );
    }

    function figures({ share, taken, waiting, failover, gap }) {
      say(byId("progress"), share === null ? "–" : percent(share));
      say(byId("taken"), String(taken));
      say(byId("waiting"), String(waiting));
      byId("waiting").classList.toggle("bad", waiting > 0);
      say(byId("failover"), failover === null ? "none yet" : ms(failover));
      say(byId("gap"), gap > 0 ? ms(gap) : "–");
    }

    return { state, countdown, write, event, reading, figures, place };
  }

  W.playerView = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
