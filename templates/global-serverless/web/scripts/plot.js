/* plot.js: the live plot: round trips as lines, replication lag as lollipops, over the last minute.
 * In: points (backend, milliseconds, when). Out: one SVG, redrawn at most four times a second. */
(function (W) {
  "use strict";
  const { draw, make } = W.dom;
  const { ms } = W.format;
  const WINDOW_MS = 60000;
  const TOP = 24;
  const UPPER = 150;
  const GAP = 46;
  const LOWER = 80;
  const LEFT = 46;

  const ceiling = (value, least) => {
    const size = 10 ** Math.floor(Math.log10(Math.max(value, least)));
    return [1, 2, 3, 5, 10].map((m) => m * size).find((c) => c >= Math.max(value, least));
  };
  const middle = (values) => [...values].sort((x, y) => x - y)[Math.floor((values.length - 1) / 2)];

  function create(box, backends) {
    const latencies = new Map(backends.map((backend) => [backend.id, []]));
    const lags = [];
    const legend = make("ul", { class: "legend small" });
    const canvas = make("div", { class: "canvas" });
    box.append(legend, canvas);

    const latency = (backend, value, at) => latencies.get(backend.id).push({ at, value });
    const failure = (backend, at) => latencies.get(backend.id).push({ at, value: null });
    const lag = (backend, value, at) => lags.push({ backend, at, value });

    function forget(now) {
      for (const points of latencies.values()) while (points.length && points[0].at < now - WINDOW_MS) points.shift();
      while (lags.length && lags[0].at < now - WINDOW_MS) lags.shift();
    }

    function axis(svg, width, y, height, top, title) {
      svg.append(draw("text", { class: "axis title", x: 0, y: y - 12 }, title));
      for (const share of [0, 0.5, 1]) {
        const at = y + height * (1 - share);
        svg.append(
          draw("line", { class: "grid", x1: LEFT, x2: width, y1: at, y2: at }),
          draw(
            "text",
            { class: "axis", x: LEFT - 6, y: at + 4, "text-anchor": "end" },
            top * share >= 1000 ? `${(top * share) / 1000} s` : `${Math.round(top * share)}`,
          ),
        );
      }
    }

    function path(points, x, y) {
      let pen = "M";
      return points
        .map((p) => {
          if (p.value === null) {
            pen = "M";
            return "";
          }
          const piece = `${pen}${x(p.at).toFixed(1)} ${y(p.value).toFixed(1)}`;
          pen = "L";
          return piece;
        })
        .join("");
    }

    function render(now) {
      forget(now);
      const width = canvas.clientWidth;
      if (!width) return;
      const height = TOP + UPPER + GAP + LOWER + 22;
      const x = (at) => LEFT + (1 - (now - at) / WINDOW_MS) * (width - LEFT - 6);
      const values = [...latencies.values()]
        .flat()
        .map((p) => p.value)
        .filter((v) => v !== null);
      const topLatency = ceiling(Math.max(0, ...values) * 1.05, 20);
      const topLag = ceiling(Math.max(0, ...lags.map((p) => p.value)) * 1.1, 1000);
      const y = (value) => TOP + UPPER * (1 - value / topLatency);
      const under = TOP + UPPER + GAP;
      const said = backends
        .map(
          (b) =>
            `${b.place} ${ms(
              middle(
                latencies
                  .get(b.id)
                  .filter((p) => p.value !== null)
                  .map((p) => p.value),
              ),
            )}`,
        )
        .join(", ");
      const svg = draw("svg", {
        width,
        height,
        viewBox: `0 0 ${width} ${height}`,
        role: "img",
        "aria-label": `Latency over the last minute, typical: ${said}. Replication lag measured ${lags.length} times.`,
      });
      axis(svg, width, TOP, UPPER, topLatency, "Round trip, ms");
      axis(svg, width, under, LOWER, topLag, "Replication lag");
      for (const backend of backends) {
        const points = latencies.get(backend.id);
        const group = draw(
          "g",
          { class: `slot-${backend.slot}` },
          draw("path", { class: "line", d: path(points, x, y) || "M0 0" }),
        );
        const last = points[points.length - 1];
        if (last && last.value !== null) group.append(draw("circle", { class: "dot", cx: x(last.at), cy: y(last.value), r: 4 }));
        for (const p of points)
          if (p.value === null)
            group.append(draw("path", { class: "cross", d: `M${x(p.at) - 4} ${TOP + UPPER - 8}l8 8m0 -8l-8 8` }));
        svg.append(group);
      }
      for (const p of lags) {
        const at = under + LOWER * (1 - p.value / topLag);
        svg.append(
          draw(
            "g",
            { class: `slot-${p.backend.slot}` },
            draw("line", { class: "stem", x1: x(p.at), x2: x(p.at), y1: under + LOWER, y2: at }),
            draw("circle", { class: "dot", cx: x(p.at), cy: at, r: 5 }),
          ),
        );
      }
      if (!lags.length)
        svg.append(
          draw(
            "text",
            { class: "axis", x: LEFT + 10, y: under + LOWER / 2 - 6 },
            "Press + in one region: the time until the other has it appears here.",
          ),
        );
      for (const back of [60, 40, 20, 0]) {
        svg.append(
          draw(
            "text",
            {
              class: "axis",
              x: x(now - back * 1000),
              y: height - 4,
              "text-anchor": back === 60 ? "start" : back ? "middle" : "end",
            },
            back ? `${back} s ago` : "now",
          ),
        );
      }
      canvas.replaceChildren(svg);
      legend.replaceChildren(
        ...backends.map((backend) => {
          const answered = latencies.get(backend.id).filter((p) => p.value !== null);
          const arrivals = lags.filter((p) => p.backend === backend);
          return make(
            "li",
            { class: `slot-${backend.slot}` },
            make("span", { class: "swatch" }),
            make("strong", {}, backend.place),
            ` ${answered.length ? ms(answered[answered.length - 1].value) : "–"}`,
            arrivals.length ? make("span", { class: "quiet" }, `, lag ${ms(arrivals[arrivals.length - 1].value)}`) : null,
          );
        }),
      );
    }

    return { latency, failure, lag, render };
  }

  W.plot = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
