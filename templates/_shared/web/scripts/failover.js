/* failover.js: decides which region takes the writes. A state machine without a clock, a network or a page.
 *
 * In: settings (failover-settings.js), a state, an event {type, region, at} with `at` in milliseconds. Out: the next state.
 * Never mutates a state, never looks at the time by itself, never calls anything.
 *
 * Phases
 *   steady    the preferred region takes the writes
 *   failing   writes to the active region fail: countdown to the switch
 *   away      another region takes the writes; the preferred one has not proved itself yet
 *   offering  as away, and the preferred region answers again: going back is offered, never done by itself
 *   stranded  the countdown ended and no other region is known to be well; the first that answers takes over
 *
 * Events
 *   write-ok, write-failed   the outcome of a write to `region`; for a region that is not active it counts as a probe
 *   probe-ok, probe-failed   the outcome of a read through the API of a region that is not active
 *   tick                     time has passed
 *   choose                   the user chose `region`: it becomes active and preferred
 *   switch-now               the user ends the countdown early
 *
 * Hysteresis: one success does not end a countdown (recoverAfter in a row do); a switch needs minFailures failures as well as
 * the time; going back is offered after failbackAfter answers in a row and withdrawn at the first failure. */
(function (W) {
  "use strict";
  const UNHEARD = Object.freeze({ ok: 0, failed: 0 });

  function start(regions, active, preferred) {
    return {
      phase: active === preferred ? "steady" : "away",
      active,
      preferred,
      regions: [...regions],
      streaks: Object.fromEntries(regions.map((region) => [region, UNHEARD])),
      failures: 0,
      failingSince: null,
      switchAt: null,
      switches: 0,
      cause: "start",
    };
  }

  // ok: answers in a row. failed: failures since the region last proved itself, so one lucky answer wipes nothing out.
  function heard(settings, state, region, well) {
    const { ok, failed } = state.streaks[region];
    const proven = well && ok + 1 >= settings.recoverAfter;
    return { ...state.streaks, [region]: well ? { ok: ok + 1, failed: proven ? 0 : failed } : { ok: 0, failed: failed + 1 } };
  }

  const calm = { failures: 0, failingSince: null, switchAt: null };
  const restPhase = (state) => (state.active === state.preferred ? "steady" : "away");

  function target(settings, state) {
    const from = state.regions.indexOf(state.active);
    const others = [...state.regions.slice(from + 1), ...state.regions.slice(0, from)];
    const well = others.filter((region) => state.streaks[region].failed === 0);
    return well.find((region) => state.streaks[region].ok >= settings.recoverAfter) ?? well[0] ?? null;
  }

  function moveTo(state, region, cause) {
    const moved = {
      ...state,
      ...calm,
      active: region,
      switches: state.switches + 1,
      cause,
      streaks: { ...state.streaks, [region]: UNHEARD },
    };
    return { ...moved, phase: restPhase(moved) };
  }

  function leave(settings, state, cause) {
    const next = target(settings, state);
    return next === null ? { ...state, phase: "stranded", switchAt: null, cause: "nowhere-to-go" } : moveTo(state, next, cause);
  }

  function due(settings, state, at) {
    const ripe = state.phase === "failing" && at >= state.switchAt && state.failures >= settings.minFailures;
    return ripe ? leave(settings, state, "countdown-ended") : state;
  }

  function writeFailed(settings, state, at) {
    const streaks = heard(settings, state, state.active, false);
    if (state.phase === "failing" || state.phase === "stranded") return { ...state, streaks, failures: state.failures + 1 };
    return {
      ...state,
      streaks,
      phase: "failing",
      failures: 1,
      failingSince: at,
      switchAt: at + settings.countdownMs,
      cause: "write-failed",
    };
  }

  function writeOk(settings, state) {
    const streaks = heard(settings, state, state.active, true);
    const troubled = state.phase === "failing" || state.phase === "stranded";
    if (!troubled || streaks[state.active].ok < settings.recoverAfter) return { ...state, streaks };
    return { ...state, ...calm, streaks, phase: restPhase(state), cause: "recovered" };
  }

  function probed(settings, state, region, well) {
    const next = { ...state, streaks: heard(settings, state, region, well) };
    if (state.phase === "stranded" && next.streaks[region].ok >= settings.recoverAfter)
      return moveTo(next, region, "first-to-answer");
    if (region !== state.preferred) return next;
    if (state.phase === "away" && next.streaks[region].ok >= settings.failbackAfter)
      return { ...next, phase: "offering", cause: "preferred-answers" };
    if (state.phase === "offering" && !well) return { ...next, phase: "away", cause: "preferred-silent" };
    return next;
  }

  function choose(state, region) {
    const moved = state.active !== region;
    return {
      ...state,
      ...calm,
      phase: "steady",
      active: region,
      preferred: region,
      cause: "chosen",
      switches: state.switches + (moved ? 1 : 0),
      streaks: moved ? { ...state.streaks, [region]: UNHEARD } : state.streaks,
    };
  }

  function step(settings, state, event) {
    const { type, region, at } = event;
    if (region !== undefined && !state.regions.includes(region)) return state;
    const own = region === state.active;
    if (type === "choose") return choose(state, region);
    if (type === "switch-now") return state.phase === "failing" ? leave(settings, state, "switched-by-hand") : state;
    let next = state;
    if (type === "write-failed") next = own ? writeFailed(settings, state, at) : probed(settings, state, region, false);
    else if (type === "write-ok") next = own ? writeOk(settings, state) : probed(settings, state, region, true);
    else if (!own && (type === "probe-ok" || type === "probe-failed"))
      next = probed(settings, state, region, type === "probe-ok");
    return due(settings, next, at);
  }

  const remaining = (state, at) => (state.phase === "failing" ? Math.max(0, state.switchAt - at) : null);

  W.failover = { start, step, remaining };
})((globalThis.Workshop = globalThis.Workshop || {}));
