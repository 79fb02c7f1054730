/* watch.js: keeps the strip of route-view.js true while the page is seen.
 * In: the world, what to do after each answer. Out: reach.js's object, watched; every region's own /health is asked every few
 * seconds, the name itself about as often as its answer can change. */
(function (W) {
  "use strict";
  const REDRAW_MS = 250;
  const LOCAL_MS = 2000;

  function start(world, onAnswer) {
    let view = null;
    const reach = W.reach.create(world, (answer) => {
      view?.refresh();
      if (answer) onAnswer(answer);
    });
    const probes = W.probes.create(world.regions, world.threshold, (region, answer) => {
      if (reach.target.phase() !== "named" && region.id !== reach.target.region()) reach.target.heard(region.id, answer.ok);
    });
    view = W.routeView.create(world, reach, probes);

    /* On AWS a browser keeps a connection for as long as it is used: asking more often than the answer's TTL would only hold on to
     * a region. The local cloud resolves the name for each request. */
    const every = world.local ? LOCAL_MS : (world.ttl + 5) * 1000;
    async function turn() {
      if (!document.hidden) await reach.send("health");
      setTimeout(turn, every);
    }

    probes.start();
    turn();
    setInterval(view.refresh, REDRAW_MS);
    for (const event of ["online", "offline"]) globalThis.addEventListener(event, view.refresh);
    view.refresh();
    return reach;
  }

  W.watch = { start };
})((globalThis.Workshop = globalThis.Workshop || {}));
