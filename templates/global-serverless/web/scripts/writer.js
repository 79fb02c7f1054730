/* writer.js: writes the newest position about twice a second, one write at a time, and again until a region has taken it.
 * In: tools {now, later, cancel, send(region, value, signal), region(), position(), playing()} and settings.
 * Out: onOutcome for every write. A position is given up only for a newer one; switching regions starts a write at once. */
(function (W) {
  "use strict";

  function create(settings, tools, onOutcome) {
    let timer = null;
    let flight = null; // {region, value, stop}
    let owed = false; // the newest position has not been acknowledged
    let running = false;

    function plan(delay) {
      tools.cancel(timer);
      timer = running ? tools.later(turn, delay) : null;
    }

    async function turn() {
      timer = null;
      const value = tools.position();
      if (flight || value === null || !(tools.playing() || owed)) {
        if (!flight) plan(settings.writeEveryMs);
        return;
      }
      const startedAt = tools.now();
      const mine = { region: tools.region(), value, stop: new AbortController() };
      flight = mine;
      owed = true;
      const answer = await tools.send(mine.region, value, mine.stop.signal);
      const current = flight === mine; // otherwise the region changed meanwhile, and a newer write is on its way
      if (current) flight = null;
      if (answer.ok && tools.position() === value) owed = false;
      onOutcome({ region: mine.region, value, answer, at: tools.now() });
      if (current) plan(Math.max(0, settings.writeEveryMs - (tools.now() - startedAt)));
    }

    function start() {
      running = true;
      plan(0);
    }

    /* Write now: the film was paused, moved or ended. */
    function hurry() {
      owed = true;
      if (!flight) plan(0);
    }

    /* The region changed: what is under way to the old one is given up, and the newest position goes to the new one. */
    function moved() {
      owed = true;
      if (flight) flight.stop.abort();
      flight = null;
      plan(0);
    }

    return { start, hurry, moved };
  }

  W.writer = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
