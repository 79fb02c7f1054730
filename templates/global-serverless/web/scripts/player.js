/* player.js: puts the player together: the film plays, the writer writes, the state machine decides, the view shows. */
(function (W) {
  "use strict";
  const { byId, say } = W.dom;
  const { films, failover } = W;
  const settings = globalThis.WORKSHOP_FAILOVER;
  const RESUME_PATIENCE_MS = 1500; // for the active region, once another one has answered
  const RESUME_DEADLINE_MS = 6000; // for all of them
  const backends = W.backends.list();
  const video = byId("video");
  const playback = W.playback.create(video);
  const facts = { lastFailure: "", summary: "", next: null, taken: 0, waiting: 0, failover: null };
  let film = null;
  let state = null;
  let view = null;
  let writer = null;
  let buttons = null;
  // {since, failures, region, preferred} from the first failed write until a region has taken one again
  let trouble = null;

  const backendOf = (id) => backends.find((backend) => backend.id === id);
  const wall = () => performance.now();

  function explain(...texts) {
    byId("answer").hidden = false;
    say(byId("answer"), texts.join(" "));
  }

  const countDown = () => view.countdown(facts.next === null ? null : failover.remaining(state, wall()));

  function show() {
    const others = state.regions.filter((id) => id !== state.active && state.streaks[id].failed === 0);
    facts.next = others.length ? view.place(others[0]) : null;
    view.state(state, facts);
    countDown();
    buttons.show(state.active);
  }

  function dispatch(event) {
    const before = state;
    state = failover.step(settings, state, { at: wall(), ...event });
    if (state.active !== before.active) {
      view.event("switch", `Writes move from ${view.place(before.active)} to ${view.place(state.active)}.`);
      writer.moved();
    }
    if (state.active !== before.active || state.preferred !== before.preferred) {
      W.choice.keep(state);
      carryInLink();
    }
    if (state !== before) show();
  }

  /* Reloading the page must not undo the switch. Pages opened from a file may not rewrite their address; they use the storage. */
  function carryInLink() {
    try {
      const address = new URL(globalThis.location.href);
      address.searchParams.set("region", state.active);
      globalThis.history.replaceState(null, "", address);
    } catch {
      return;
    }
  }

  function settled(region) {
    const took = wall() - trouble.since;
    // A write that is refused while a person goes back by choice is no failover.
    const moved = region !== trouble.region && (trouble.preferred || state.cause !== "chosen");
    if (moved) facts.failover = took;
    const failed = `${trouble.failures} write${trouble.failures === 1 ? "" : "s"} failed`;
    facts.summary =
      `${moved ? "Failover took" : "Writes were refused for"} ${W.format.ms(took)}; ` +
      `${failed} and the newest position has been written, so nothing is lost.`;
    view.event("caught up", facts.summary);
    trouble = null;
    facts.waiting = 0;
    W.owed.clear(film.key);
  }

  function written(outcome) {
    const { region, answer } = outcome;
    view.write(outcome);
    if (answer.ok) {
      facts.taken += 1;
      W.memory.keep(film.key, outcome.value);
      if (trouble) settled(region);
      dispatch({ type: "write-ok", region });
      return;
    }
    trouble = trouble || { since: wall() - answer.totalMs, failures: 0, region, preferred: region === state.preferred };
    trouble.failures += 1;
    facts.waiting += 1;
    if (answer.kind === "aborted") return;
    facts.lastFailure = answer.words.what;
    dispatch({ type: "write-failed", region });
    show();
  }

  function read(backend, answer) {
    const share = answer.ok ? films.bookmarkOf(answer.body.Item) : null;
    const position = playback.position();
    view.reading(
      backend.id,
      answer,
      share,
      share === null || position === null ? null : (Number(position) - share) * video.duration * 1000,
    );
    if (backend.id !== state.active) dispatch({ type: answer.ok ? "probe-ok" : "probe-failed", region: backend.id });
  }

  /* Where the film was left: what this browser still owes, else what the active region says, else any other region, else memory. */
  function resumeAt(active) {
    const owed = W.owed.find(film.key);
    if (owed !== null) return Promise.resolve(Number(owed));
    return new Promise((resolve) => {
      const open = new Set(backends);
      let second = null;
      const decide = () => resolve(second ? second.share : W.memory.find(film.key));
      setTimeout(() => {
        if (second) decide();
      }, RESUME_PATIENCE_MS);
      for (const backend of backends) {
        W.api.call(backend, films.readPath(film), { deadline: RESUME_DEADLINE_MS }).then((answer) => {
          open.delete(backend);
          const share = answer.ok ? films.bookmarkOf(answer.body.Item) : null;
          if (answer.ok && backend.id === active) resolve(share);
          else if (answer.ok) second = second || { share };
          if (!open.size || (second && !open.has(backendOf(active)))) decide();
        });
      }
    });
  }

  async function run(choice) {
    writer = W.writer.create(
      settings,
      {
        now: wall,
        later: (call, delay) => setTimeout(call, delay),
        cancel: (timer) => clearTimeout(timer),
        region: () => state.active,
        position: playback.position,
        playing: playback.playing,
        send: (region, value, signal) =>
          W.api.call(backendOf(region), films.writePath(film.key, value, films.thumbText(film.thumb)), {
            deadline: settings.writeTimeoutMs,
            signal,
          }),
      },
      written,
    );
    if (!film.video) {
      explain("This title has no clip beside the page, and nothing is loaded from other hosts.");
      return;
    }
    W.owed.settle(backends, choice.active, film.key);
    try {
      await playback.load(film.video, resumeAt(choice.active));
    } catch {
      explain("The clip does not load.", `Is ${film.video} beside the page?`);
      return;
    }
    for (const event of ["pause", "seeked", "ended"]) video.addEventListener(event, () => writer.hurry());
    W.readers.start(settings, backends, films.readPath(film), read);
    writer.start();
    if (W.owed.find(film.key) !== null) writer.hurry();
    if (!globalThis.matchMedia("(prefers-reduced-motion: reduce)").matches)
      video.play().catch(() => say(byId("headline"), "Press play to start the film."));
  }

  function leave() {
    const value = playback.position();
    if (!film || value === null) return;
    const thumb = films.thumbText(film.thumb);
    if (trouble) W.owed.keep(film.key, value, thumb);
    W.api.call(backendOf(state.active), films.writePath(film.key, value, thumb), { keepalive: true });
  }

  async function open() {
    if (!backends.length) return explain("No API is configured. Run workshop setup, or add an API on the test harness page.");
    const choice = W.choice.load(backends);
    state = failover.start(
      backends.map((backend) => backend.id),
      choice.active,
      choice.preferred,
    );
    view = W.playerView.create(backends);
    buttons = W.regionButtons.attach(byId("regions"), backends, (backend) => dispatch({ type: "choose", region: backend.id }));
    buttons.show(state.active);
    const sk = new URLSearchParams(globalThis.location.search).get("title") || "01";
    const found = await W.library.film(backends, choice.active, sk);
    film = found.film;
    if (!film) {
      say(byId("title"), "No such film");
      return explain(
        found.from ? `The library has no title ${sk}.` : found.failures.map((answer) => answer.words.what).join(" "),
        "Go back to all films and choose another one.",
      );
    }
    say(byId("title"), film.title);
    document.title = `${film.title} · Globalflix`;
    show();
    byId("switch-now").addEventListener("click", () => dispatch({ type: "switch-now" }));
    byId("go-back").addEventListener("click", () => dispatch({ type: "choose", region: state.preferred }));
    byId("stay").addEventListener("click", () => dispatch({ type: "choose", region: state.active }));
    globalThis.addEventListener("pagehide", leave);
    const repeat = byId("repeat");
    repeat.checked = video.loop = W.storage.recall("repeat", (value) => typeof value === "boolean", true);
    repeat.addEventListener("change", () => {
      video.loop = repeat.checked;
      W.storage.keep("repeat", repeat.checked);
    });
    setInterval(() => {
      dispatch({ type: "tick" });
      countDown();
      const position = playback.position();
      view.figures({ share: position === null ? null : Number(position), ...facts, gap: playback.longestGap() });
    }, 200);
    return run(choice);
  }

  open();
})((globalThis.Workshop = globalThis.Workshop || {}));
