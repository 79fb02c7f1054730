/* layout.js: where the boxes of the drawing lie, and the lines between them. Pure.
 * In: the width in pixels, how many records there are. Out: {width, height, wide, asker, name, rows: [{record, region}]}, each a
 * box {x, y, w, h}. From 760 pixels on it runs from left to right, below that from top to bottom. */
(function (W) {
  "use strict";
  const WIDE_FROM = 760;
  const ROW = { h: 108, gap: 28 };

  const box = (x, y, w, h) => ({ x, y, w, h });

  function wide(width, count) {
    const height = count * ROW.h + (count - 1) * ROW.gap + 8;
    const [asker, name, record, region] = [0.15, 0.235, 0.235, 0.15].map((part) => Math.min(part * width, part * 1250));
    const gap = (width - asker - name - record - region - 4) / 3;
    const middle = (height - ROW.h) / 2;
    const second = asker + gap;
    const third = second + name + gap;
    const fourth = third + record + gap;
    const rows = Array.from({ length: count }, (_, index) => {
      const y = 4 + index * (ROW.h + ROW.gap);
      return { record: box(third, y, record, ROW.h), region: box(fourth, y, region, ROW.h) };
    });
    return {
      width,
      height,
      wide: true,
      asker: box(2, middle, asker, ROW.h),
      name: box(second, middle, name, ROW.h),
      rows,
    };
  }

  function tall(width, count) {
    const gap = 12;
    const each = (width - 4 - gap * (count - 1)) / Math.max(1, count);
    const rows = Array.from({ length: count }, (_, index) => {
      const x = 2 + index * (each + gap);
      return { record: box(x, 216, each, 104), region: box(x, 372, each, 76) };
    });
    return { width, height: 452, wide: false, asker: box(2, 4, width - 4, 66), name: box(2, 96, width - 4, 76), rows };
  }

  const boxes = (width, count) => (width >= WIDE_FROM ? wide(width, count) : tall(width, count));

  /* A line from one box to another: `from` and `to` are parts (0 to 1) of the sides that face each other. */
  function line(plan, one, other, from = 0.5, to = 0.5) {
    if (plan.wide) {
      const [x1, y1, x2, y2] = [one.x + one.w, one.y + one.h * from, other.x, other.y + other.h * to];
      const middle = (x1 + x2) / 2;
      return { d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`, end: { x: x2, y: y2 }, start: { x: x1, y: y1 } };
    }
    const [x1, y1, x2, y2] = [one.x + one.w * from, one.y + one.h, other.x + other.w * to, other.y];
    const middle = (y1 + y2) / 2;
    return { d: `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`, end: { x: x2, y: y2 }, start: { x: x1, y: y1 } };
  }

  /* A long name in lines of at most `most` characters, broken before dots. */
  function lines(host, most) {
    const found = [""];
    for (const part of host.split(/(?=\.)/)) {
      if (found.at(-1).length + part.length > most && found.at(-1)) found.push("");
      found[found.length - 1] += part;
    }
    return found.map((text) => (text.length > most ? `${text.slice(0, most - 1)}…` : text));
  }

  W.layout = { boxes, line, lines };
})((globalThis.Workshop = globalThis.Workshop || {}));
