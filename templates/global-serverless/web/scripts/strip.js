/* strip.js: the last writes as bars, in the colour of the region that took them; a failed write is a cross.
 * In: one entry per write. Out: an SVG, redrawn after each. */
(function (W) {
  "use strict";
  const { draw } = W.dom;
  const MOST = 90;
  const HEIGHT = 64;

  function create(box) {
    const bars = [];

    function add(slot, ok, took) {
      bars.push({ slot, ok, took });
      if (bars.length > MOST) bars.shift();
      render();
    }

    function render() {
      const width = box.clientWidth || 300;
      const step = width / MOST;
      // One slow write must not flatten all others: what is above three times the middle touches the ceiling.
      const times = bars
        .filter((bar) => bar.ok)
        .map((bar) => bar.took)
        .sort((a, b) => a - b);
      const top = Math.max(20, 3 * (times[Math.floor(times.length / 2)] || 0));
      const failed = bars.filter((bar) => !bar.ok).length;
      const svg = draw("svg", {
        width,
        height: HEIGHT,
        viewBox: `0 0 ${width} ${HEIGHT}`,
        role: "img",
        "aria-label": `The last ${bars.length} writes, ${failed} of them failed`,
      });
      bars.forEach((bar, index) => {
        const x = width - (bars.length - index) * step;
        const tall = bar.ok ? Math.max(4, Math.min(1, bar.took / top) * (HEIGHT - 4)) : 0;
        svg.append(
          bar.ok
            ? draw("rect", {
                class: `slot-${bar.slot} taken`,
                x,
                y: HEIGHT - tall,
                width: Math.max(1.5, step - 1.5),
                height: tall,
                rx: 1,
              })
            : draw(
                "g",
                { class: "missed" },
                draw("rect", { x, y: 0, width: step, height: HEIGHT }),
                draw("path", { d: `M${x + 0.5} ${HEIGHT - 7}l${step - 1} 5m0 -5l${1 - step} 5` }),
              ),
        );
      });
      box.replaceChildren(svg);
    }

    return { add };
  }

  W.strip = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
