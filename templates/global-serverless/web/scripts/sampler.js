/* sampler.js: keeps the live plot supplied: reads every region once a second while the page is seen,
 * and every 150 ms a region that a write has yet to reach. One read per region is under way at most.
 * In: backends, a read, who is behind. Out: calls onRead for each answer. */
(function (W) {
  "use strict";
  const CALM_MS = 1000;
  const EAGER_MS = 150;
  const GIVE_UP_EAGER_MS = 30000;

  function create(backends, { read, behind, latest, onRead }) {
    let on = false;
    const loops = new Map();

    function pause(backend) {
      const write = latest();
      const eager = write && behind().includes(backend.id) && performance.now() - write.at < GIVE_UP_EAGER_MS;
      return eager ? EAGER_MS : CALM_MS;
    }

    async function turn(backend) {
      loops.set(backend.id, null);
      if (!on) return;
      if (!document.hidden) onRead(await read(backend));
      if (on && loops.get(backend.id) === null) loops.set(backend.id, setTimeout(turn, pause(backend), backend));
    }

    function hurry() {
      for (const backend of backends) {
        const timer = loops.get(backend.id);
        if (timer && behind().includes(backend.id)) {
          clearTimeout(timer);
          loops.set(backend.id, setTimeout(turn, EAGER_MS, backend));
        }
      }
    }

    function set(next) {
      if (next === on) return;
      on = next;
      for (const timer of loops.values()) if (timer) clearTimeout(timer);
      loops.clear();
      if (on) backends.forEach(turn);
    }

    return { set, hurry };
  }

  W.sampler = { create };
})(globalThis.Workshop = globalThis.Workshop || {});
