/* parts.js: the arithmetic drawn: what every request needs, then the copies one below the other, each a chain of parts.
 * In: {parts, copies, shared} and a width. Out: an SVG node. */
(function (W) {
  "use strict";
  const { draw } = W.dom;
  const HEIGHT = 56;
  const GAP = 14;

  function render({ parts, copies, shared, words }, width) {
    const height = copies * HEIGHT + (copies - 1) * GAP + 4;
    const middle = height / 2;
    const sharedWide = shared ? Math.min(110, width * 0.22) : 0;
    const from = sharedWide + (shared ? 44 : 30);
    const to = width - 30;
    const each = Math.min(120, (to - from - 8 * (parts - 1)) / parts);
    const chain = each * parts + 8 * (parts - 1);
    const end = from + chain;
    const nodes = [];
    for (let copy = 0; copy < copies; copy += 1) {
      const y = 2 + copy * (HEIGHT + GAP);
      const line = y + HEIGHT / 2;
      const start = shared ? sharedWide + 2 : 8;
      nodes.push(
        draw("path", { class: "wire", d: `M${start} ${middle}C${from - 14} ${middle} ${start + 6} ${line} ${from} ${line}H${end}C${end + 22} ${line} ${end} ${middle} ${end + 26} ${middle}` }),
      );
      for (let part = 0; part < parts; part += 1) {
        nodes.push(
          draw("rect", { class: `part slot-${(copy % 6) + 1}`, x: from + part * (each + 8), y, width: each, height: HEIGHT, rx: 9 }),
        );
      }
    }
    if (shared)
      nodes.push(
        draw("rect", { class: "common", x: 2, y: 2, width: sharedWide, height: height - 4, rx: 9 }),
        draw("text", { class: "common-words", x: 2 + sharedWide / 2, y: middle + 5, "text-anchor": "middle" }, "shared"),
      );
    return draw(
      "svg",
      { class: "parts", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words },
      ...nodes,
    );
  }

  W.parts = { render };
})((globalThis.Workshop = globalThis.Workshop || {}));
