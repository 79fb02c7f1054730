/* start.js: the first page: which region answers now, and the way in. */
(function (W) {
  "use strict";
  const { byId } = W.dom;
  const world = W.world.current;
  const provider = W.provider.current;
  const obstacle = W.provider.obstacle(provider, globalThis.location, globalThis.isSecureContext);

  byId("none").hidden = world.regions.length > 0;
  byId("route").hidden = world.regions.length === 0;
  byId("sign-in").hidden = Boolean(obstacle);
  byId("gate-obstacle").hidden = !obstacle;
  if (obstacle) byId("gate-obstacle").replaceChildren(...W.gateView.obstacleNodes(obstacle));
  else {
    const session = W.signin.create(provider);
    session.onChange(({ words }) => {
      byId("failed").hidden = !words;
      byId("failed").textContent = words;
    });
    byId("sign-in").addEventListener("click", () => session.begin());
  }
  if (world.regions.length) W.watch.start(world, () => {});
})((globalThis.Workshop = globalThis.Workshop || {}));
