/* sampler.js: keeps the live plot supplied: reads every region once a second while the page is seen,
 * and every 150 ms a region that a write has yet to reach. One read per region is under way at most.
 * In: backends, a read, who is behind. Out: calls onRead for each answer. */
(function (W) {
  "use strict";
  const CALM_MS = 1000;
  const EAGER_MS = 150;
  const GIVE_UP_EAGER_MS = 30000;

  function create(backends, { read, behind, latest, onRead }) {
    const timers = new Map();
    let round = 0; // an answer that belongs to an earlier round starts no further read
    let on = false;

    function pause(backend) {
      const write = latest();
      const eager = write && behind().includes(backend.id) && performance.now() - write.at < GIVE_UP_EAGER_MS;
      return eager ? EAGER_MS : CALM_MS;
    }

    async function turn(backend, mine) {
      timers.delete(backend.id);
      const answer = document.hidden ? null : await read(backend);
      if (answer) onRead(answer); // also when sampling was switched off meanwhile: what was asked is shown
      if (!on || mine !== round) return;
      timers.set(backend.id, setTimeout(turn, pause(backend), backend, mine));
    }

    function hurry() {
      for (const backend of backends) {
        if (!timers.has(backend.id) || !behind().includes(backend.id)) continue;
        clearTimeout(timers.get(backend.id));
        timers.set(backend.id, setTimeout(turn, EAGER_MS, backend, round));
      }
    }

    function start() {
      if (on) return;
      on = true;
      round += 1;
      for (const backend of backends) turn(backend, round);
    }

    function stop() {
      on = false;
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    }

    return { start, stop, hurry };
  }

  W.sampler = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
