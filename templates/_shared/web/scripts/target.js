/* target.js: where a request goes: to the name, or, when no browser can use it, to the region that this page fails over to.
 * In: the world, what to do when the choice changes. Out: {now(), heard(region, ok), region(), phase(), goBack()}. The decisions are
 * those of failover.js; health of the region in use counts as its writes do. */
(function (W) {
  "use strict";
  const SETTINGS = { countdownMs: 0, minFailures: 2, recoverAfter: 2, failbackAfter: 3 };

  function named(world) {
    const target = { id: "the name", place: "The name", url: world.name.url, pathUrl: "" };
    return { now: () => target, heard: () => {}, region: () => null, phase: () => "named", goBack: () => {} };
  }

  function chosen(world, onChange) {
    const ids = world.regions.map((region) => region.id);
    let state = W.failover.start(ids, ids[0], ids[0]);

    function move(event) {
      const next = W.failover.step(SETTINGS, state, { ...event, at: performance.now() });
      const changed = next.active !== state.active || next.phase !== state.phase;
      state = next;
      if (changed) onChange(state);
    }

    return {
      now: () => world.regions.find((region) => region.id === state.active),
      heard(region, ok) {
        const kind = region === state.active ? "write" : "probe";
        move({ type: `${kind}-${ok ? "ok" : "failed"}`, region });
      },
      region: () => state.active,
      phase: () => state.phase,
      goBack: () => move({ type: "choose", region: state.preferred }),
    };
  }

  const create = (world, onChange) => (world.name.url ? named(world) : chosen(world, onChange));

  W.target = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
