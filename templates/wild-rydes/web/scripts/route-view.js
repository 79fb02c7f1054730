/* route-view.js: the strip that shows which region answers, how every region is, and what happens while none does.
 * In: the world, reach.js, the page's own probes. Out: {refresh}. The countdown is not read out; headline and detail are, once. */
(function (W) {
  "use strict";
  const { make, byId, say } = W.dom;
  const { ms } = W.format;

  function chip(region) {
    const state = make("span", { class: "chip-state" }, "asking");
    const node = make(
      "li",
      { class: `region-chip slot-${region.slot}`, "data-region": region.id },
      make("span", { class: "swatch", "aria-hidden": "true" }),
      make("strong", {}, region.place),
      region.home ? make("span", { class: "home" }, "home") : null,
      state,
    );
    return { node, state };
  }

  function stateOf(probe, serves, last) {
    if (!probe) return "asking";
    if (!probe.healthy) return serves ? "unhealthy, answers" : "unhealthy";
    return serves ? `answers, ${ms(last.ms)}` : "healthy";
  }

  function countdown({ since, nextAt }, now) {
    const down = `No answer for ${Math.max(0, Math.round((now - since) / 1000))} s, `;
    const left = nextAt ? Math.ceil((nextAt - now) / 1000) : 0;
    return left > 0 ? `${down}next try in ${left} s` : `${down}trying now`;
  }

  function create(world, reach, probes) {
    const box = byId("route");
    const headline = make("p", { class: "route-headline" });
    const detail = make("p", { class: "route-detail" });
    const count = make("span", { class: "route-count", "aria-hidden": "true" });
    const now = make("button", { type: "button", on: { click: reach.wake } }, "Try now");
    const back = make("button", { type: "button", on: { click: () => reach.target.goBack() } }, "Go back");
    const chips = new Map(world.regions.map((region) => [region.id, chip(region)]));
    const home = world.regions.find((region) => region.home) ?? world.regions[0];
    say(back, `Go back to ${home?.place}`);
    const named = reach.target.phase() === "named";
    box.replaceChildren(
      make("div", { class: "route-words", role: "status" }, headline, detail),
      make("div", { class: "route-actions" }, count, now, back),
      make(
        "div",
        { class: "route-way" },
        make("code", { class: "route-name" }, named ? world.name.host : "this page"),
        make("span", { class: "route-arrow", "aria-hidden": "true" }, "→"),
        make("ul", { class: "region-chips", "aria-label": "Regions" }, ...[...chips.values()].map(({ node }) => node)),
      ),
    );

    function facts() {
      const { interval, threshold, ttl, local } = world;
      const { region, trouble, move } = reach.state();
      return {
        named, host: world.name.host, local, regions: world.regions, probes: probes.state(), region, trouble, move, ttl,
        now: performance.now(), offline: globalThis.navigator.onLine === false, bound: interval * threshold + interval + ttl,
      };
    }

    function refresh() {
      const known = facts();
      const { region, trouble } = known;
      const told = W.story.tell(known);
      box.dataset.look = told.look;
      say(headline, told.headline);
      say(detail, told.detail);
      detail.hidden = !told.detail;
      const slot = world.regions.find((each) => each.id === region && !trouble)?.slot;
      box.className = `route${slot ? ` slot-${slot}` : ""}`;
      for (const [id, { node, state }] of chips) {
        const probe = known.probes[id];
        const serves = id === region && !trouble && !known.offline;
        node.classList.toggle("serves", serves);
        node.classList.toggle("ill", probe?.healthy === false && !known.offline);
        say(state, known.offline ? "unknown" : stateOf(probe, serves, reach.state().last));
      }
      count.hidden = now.hidden = !trouble || known.offline;
      if (trouble) say(count, countdown(trouble, known.now));
      back.hidden = reach.target.phase() !== "offering";
    }

    return { refresh };
  }

  W.routeView = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
