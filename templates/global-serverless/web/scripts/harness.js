/* harness.js: puts the test harness together: rows, results, sampling, the two experiments. */
(function (W) {
  "use strict";
  const { byId, say } = W.dom;
  const { seconds } = W.format;
  const STEPS = { plus: 1, minus: -1 };
  const backends = W.backends.list();
  const places = new Map(backends.map((backend) => [backend.id, backend.place]));
  const ledger = W.ledger.create(backends.map((backend) => backend.id));
  const results = W.results.create(places);
  const plot = W.plot.create(byId("plot"), backends);
  const rows = new Map();
  let updatedAt = null;
  let onTrial = false;

  say(byId("table"), W.backends.table);
  const asks = W.offer.attach({ done: (leave) => (leave ? leaveLink() : globalThis.location.reload()) });
  byId("none").hidden = asks || backends.length > 0;
  byId("copy-link").hidden = backends.length === 0;

  function note(answer, action) {
    let verdict = null;
    if (answer.ok && answer.value !== undefined && answer.value !== null) {
      if (answer.by === undefined) verdict = ledger.read(answer.backend.id, answer.value, answer.sentAt, answer.answeredAt);
      else ledger.wrote(answer.backend.id, answer.value, answer.answeredAt);
    }
    if (answer.by !== undefined && answer.ok) sampler.hurry();
    rows.get(answer.backend.id).show(answer, verdict);
    if (answer.ok) plot.latency(answer.backend, answer.totalMs, answer.answeredAt);
    else plot.failure(answer.backend, answer.answeredAt);
    if (verdict && verdict.lagMs !== null && byId("live").checked && !onTrial)
      plot.lag(answer.backend, verdict.lagMs, answer.answeredAt);
    if (action) results.add(action, answer, verdict);
    updatedAt = performance.now();
    return verdict;
  }

  const sampler = W.sampler.create(backends, {
    read: W.counter.read,
    behind: ledger.waitingFor,
    latest: ledger.latest,
    onRead: (answer) => note(answer, null),
  });

  async function act(backend, action) {
    const row = rows.get(backend.id);
    row.busy(true);
    const answer =
      action === "ping"
        ? await W.counter.ping(backend)
        : action === "get"
          ? await W.counter.read(backend)
          : await W.counter.change(backend, STEPS[action]);
    row.busy(false);
    const verdict = note(answer, action);
    if (!answer.ok) say(byId("spoken"), answer.words.what);
    else if (answer.value !== undefined)
      say(byId("spoken"), `${backend.place}: counter ${answer.value}${verdict && verdict.kind === "stale" ? ", stale" : ""}`);
    else say(byId("spoken"), `${backend.place} answers`);
  }

  function remove(backend) {
    W.backends.remove(backend.url);
    leaveLink();
  }

  function leaveLink() {
    // The address bar may still carry ?api=, which would bring a removed API back.
    globalThis.location.assign(globalThis.location.pathname);
  }

  for (const backend of backends) {
    const row = W.rows.create(backend, { onAction: act, onRemove: remove });
    rows.set(backend.id, row);
    byId("rows").append(row.node);
  }
  W.trials.attach(backends, {
    counter: W.counter,
    note,
    lag: plot.lag,
    pause: () => {
      onTrial = true;
      sampler.stop();
    },
    resume: () => {
      onTrial = false;
      if (byId("live").checked) sampler.start();
    },
  });

  byId("add").addEventListener("submit", (event) => {
    event.preventDefault();
    const { problem } = W.backends.add(byId("address").value);
    if (problem) say(byId("add-answer"), problem);
    else leaveLink();
  });
  byId("copy-link").addEventListener("click", async () => {
    const link = W.backends.link(backends);
    try {
      await navigator.clipboard.writeText(link);
      say(byId("add-answer"), "The link is on the clipboard.");
    } catch {
      say(byId("add-answer"), `Copy this link: ${link}`);
    }
  });
  byId("clear").addEventListener("click", results.clear);

  const live = byId("live");
  live.checked = W.storage.recall("live", (value) => typeof value === "boolean", true);
  live.addEventListener("change", () => {
    W.storage.keep("live", live.checked);
    if (live.checked) sampler.start();
    else sampler.stop();
  });
  if (live.checked) sampler.start();
  else backends.forEach(async (backend) => note(await W.counter.read(backend), null));

  setInterval(() => {
    const now = performance.now();
    if (updatedAt !== null) say(byId("since"), `${seconds(now - updatedAt)} ago`);
    for (const row of rows.values()) row.tick(now);
    plot.render(now);
  }, 250);
})((globalThis.Workshop = globalThis.Workshop || {}));
