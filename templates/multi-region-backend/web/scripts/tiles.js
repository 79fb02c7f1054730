/* tiles.js: a batch as tiles in the order of the answers, in the colour of the region that took each, and as one bar of shares.
 * In: places for so many, answers one by one. Out: two nodes' content. A failed one is a cross. */
(function (W) {
  "use strict";
  const { make } = W.dom;

  function create(tiles, bar, world) {
    const slots = new Map(world.regions.map((region) => [region.id, region]));

    function begin(count) {
      tiles.replaceChildren(...Array.from({ length: count }, () => make("span", { class: "tile" })));
      bar.replaceChildren();
    }

    function show(answer, index) {
      const tile = tiles.children[index];
      const region = slots.get(answer.region);
      if (tile) tile.className = answer.ok ? `tile taken slot-${region ? region.slot : 6}` : "tile failed";
    }

    function sum({ counts, sent }) {
      bar.replaceChildren(
        ...[...slots.values()]
          .filter((region) => counts.get(region.id))
          .map((region) =>
            make(
              "span",
              { class: `piece slot-${region.slot}`, vars: { "--share": String(counts.get(region.id) / sent) } },
              make("strong", {}, String(counts.get(region.id))),
              ` ${region.place}`,
            ),
          ),
      );
    }

    return { begin, show, sum };
  }

  W.tiles = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
