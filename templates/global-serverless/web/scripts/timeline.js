/* timeline.js: draws what both regions answered during an experiment, one lane each.
 * In: an experiment's record and the two backends. Out: an SVG node. Solid: the value that stayed; hatched: behind or undone. */
(function (W) {
  "use strict";
  const { draw } = W.dom;
  const { ms, number, signed } = W.format;
  const GUTTER = 74;
  const LANE = 30;
  const LANES_AT = [34, 116];
  const HEIGHT = 200;
  const LEAD_MS = 150;
  let patterns = 0;

  function segments(record, id, zero, end) {
    const mine = record.events.filter((e) => e.id === id && e.ok && e.value !== null).sort((x, y) => x.at - y.at);
    const parts = [];
    for (const event of mine) {
      const at = Math.max(event.at - zero, -LEAD_MS);
      const last = parts[parts.length - 1];
      if (last && last.value === event.value) continue;
      if (last) last.to = at;
      parts.push({ from: parts.length ? at : -LEAD_MS, to: end, value: event.value });
    }
    return parts
      .filter((part) => part.to > part.from)
      .flatMap((part) => {
        // What was said before the first write is neither right nor behind.
        if (part.from < 0 && part.to > 0 && part.value !== record.final)
          return [
            { ...part, to: 0, look: "before" },
            { ...part, from: 0, look: "behind" },
          ];
        return [{ ...part, look: part.to <= 0 ? "before" : part.value === record.final ? "settled" : "behind" }];
      });
  }

  function hatch(backend) {
    patterns += 1;
    const id = `hatch-${patterns}`;
    const pattern = draw(
      "pattern",
      { id, width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      draw("rect", { class: `slot-${backend.slot} hatch-ground`, width: 7, height: 7 }),
      draw("rect", { class: `slot-${backend.slot} hatch-line`, width: 2.2, height: 7 }),
    );
    return { id, pattern };
  }

  function step(span, width) {
    const room = Math.max(3, width / 90);
    return [50, 100, 200, 500, 1000, 2000, 5000, 10000].find((s) => span / s <= room) || 20000;
  }

  function arrow(x1, x2, from, to, look) {
    const [y1, y2] = from < to ? [LANES_AT[from] + LANE, LANES_AT[to]] : [LANES_AT[from], LANES_AT[to] + LANE];
    const middle = (y1 + y2) / 2;
    const up = y2 < y1 ? 1 : -1;
    return draw(
      "g",
      { class: `arrow ${look}` },
      draw("path", { d: `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}` }),
      draw("path", { d: `M${x2 - 4} ${y2 + up * 7}L${x2} ${y2}L${x2 + 4} ${y2 + up * 7}` }),
    );
  }

  function render(record, lanes, width) {
    const writes = record.events.filter((e) => e.what === "write" && e.ok);
    const zero = writes.length ? writes[0].at : record.events[0].at;
    const end = Math.max(300, ...record.events.map((e) => e.at - zero)) * 1.14;
    const x = (at) => GUTTER + ((at + LEAD_MS) / (end + LEAD_MS)) * (width - GUTTER - 8);
    const svg = draw("svg", {
      class: "timeline",
      width,
      height: HEIGHT,
      viewBox: `0 0 ${width} ${HEIGHT}`,
      role: "img",
      "aria-label": `Timeline of both regions. ${record.words}`,
    });

    const unit = step(end, width - GUTTER);
    for (let t = 0; t <= end; t += unit) {
      svg.append(
        draw("line", { class: "grid", x1: x(t), x2: x(t), y1: 16, y2: HEIGHT - 20 }),
        draw(
          "text",
          { class: "axis", x: Math.min(x(t), width), y: HEIGHT - 5, "text-anchor": x(t) > width - 30 ? "end" : "middle" },
          unit < 1000 ? `${t} ms` : `${t / 1000} s`,
        ),
      );
    }
    lanes.forEach((backend, index) => {
      const y = LANES_AT[index];
      const { id, pattern } = hatch(backend);
      const lane = draw(
        "g",
        { class: `slot-${backend.slot}` },
        draw("defs", {}, pattern),
        draw("text", { class: "lane", x: 0, y: y + LANE / 2 + 5 }, backend.place),
      );
      for (const part of segments(record, backend.id, zero, end)) {
        const from = x(part.from);
        const wide = Math.max(2, x(part.to) - from - 1);
        const fill = part.look === "behind" ? { fill: `url(#${id})` } : {};
        lane.append(draw("rect", { class: `part ${part.look}`, x: from, y, width: wide, height: LANE, rx: 4, ...fill }));
        if (wide > 26)
          lane.append(
            draw(
              "text",
              { class: `part-value ${part.look}`, x: from + wide / 2, y: y + LANE / 2 + 5, "text-anchor": "middle" },
              number(part.value),
            ),
          );
      }
      for (const event of record.events.filter((e) => e.id === backend.id && e.what === "read" && e.at >= zero)) {
        lane.append(
          draw("line", { class: "read", x1: x(event.at - zero), x2: x(event.at - zero), y1: y + LANE + 3, y2: y + LANE + 8 }),
        );
      }
      svg.append(lane);
    });
    for (const write of writes) {
      const from = lanes.findIndex((backend) => backend.id === write.id);
      const to = 1 - from;
      const seen = record.events.find(
        (e) => e.id === lanes[to].id && e.what === "read" && e.at > write.at && e.value === write.value,
      );
      const at = x(write.at - zero);
      // The upper lane is marked above, the lower one below: the arrows cross between them.
      const tip = from === 0 ? LANES_AT[0] - 2 : LANES_AT[1] + LANE + 10;
      svg.append(
        draw(
          "g",
          { class: `slot-${lanes[from].slot} write` },
          draw("path", { d: `M${at} ${tip}l-5 ${from === 0 ? -8 : 8}h10z` }),
          draw(
            "text",
            { x: at + 9, y: from === 0 ? tip - 2 : tip + 9 },
            `${signed(write.by)}${write.value === record.final || record.final === null ? "" : " (undone)"}`,
          ),
        ),
      );
      if (seen) {
        svg.append(
          arrow(at, x(seen.at - zero), from, to, `slot-${lanes[from].slot}`),
          draw(
            "text",
            {
              class: "arrow-label",
              x: (at + x(seen.at - zero)) / 2,
              y: (LANES_AT[0] + LANE + LANES_AT[1]) / 2 - 6,
              "text-anchor": "middle",
            },
            ms(seen.at - write.at),
          ),
        );
      }
    }
    return svg;
  }

  W.timeline = { render };
})((globalThis.Workshop = globalThis.Workshop || {}));
