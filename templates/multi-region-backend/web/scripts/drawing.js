/* drawing.js: the way from this browser to a region, drawn from the picture: who asks, the name, its records with their health
 * checks, the regions. In: a picture, a width. Out: an SVG node. A crossed health check is a red line to the other region. */
(function (W) {
  "use strict";
  const { draw } = W.dom;
  const { boxes, line, lines } = W.layout;
  const LIGHT = 11;

  const share = (record) => (record.share === null ? "" : `${Math.round(record.share * 100)} %`);
  const write = (x, y, text, attributes = {}) => draw("text", { x, y, ...attributes }, text);
  const frame = (place, attributes) => draw("rect", { x: place.x, y: place.y, width: place.w, height: place.h, rx: 12, ...attributes });

  function light(x, y, { healthy, streak, label }) {
    const mark = healthy
      ? draw("circle", { cx: x, cy: y, r: 4, class: `light good${streak ? " doubting" : ""}` })
      : draw("path", { d: `M${x - 3.5} ${y - 3.5}l7 7m0 -7l-7 7`, class: "light bad" });
    return draw("g", {}, draw("title", {}, label), mark);
  }

  function ring(x, y, part) {
    const r = 13;
    const around = 2 * Math.PI * r;
    return draw(
      "g",
      { class: "ring" },
      draw("circle", { cx: x, cy: y, r, class: "ring-ground" }),
      draw("circle", {
        cx: x,
        cy: y,
        r,
        class: "ring-left",
        "stroke-dasharray": `${around * part} ${around}`,
        transform: `rotate(-90 ${x} ${y})`,
      }),
    );
  }

  function asker(picture, place) {
    const kept = picture.kept;
    const record = kept && picture.records.find(({ region }) => region === kept.region);
    const slot = record ? `slot-${record.slot}` : "";
    const seconds = kept ? Math.max(0, Math.ceil(kept.seconds)) : 0;
    const left = place.x + 16;
    const top = place.y + (place.h > 80 ? 32 : 27);
    const node = draw("g", { class: `asker ${slot}` }, frame(place, { class: "box" }), write(left, top, "This browser", { class: "head" }));
    if (picture.kind === "page") {
      node.append(write(left, top + 23, record ? `chose ${record.place}` : "chooses by itself", { class: "sub" }));
    } else if (record && kept.seconds === null) {
      node.append(write(left, top + 23, `last: ${record.place}`, { class: "sub strong" }));
    } else if (record) {
      const wide = place.h > 80;
      node.append(write(left, top + 23, record.place, { class: "sub strong" }));
      node.append(write(wide ? left : place.x + place.w - 52, wide ? top + 43 : place.y + 38, `for ${seconds} s more`, { class: "sub", "text-anchor": wide ? "start" : "end" }));
      node.append(ring(place.x + place.w - 30, place.y + (place.h > 80 ? 30 : place.h / 2), Math.min(1, kept.seconds / picture.ttlInForce)));
    } else {
      node.append(write(left, top + 23, "asks with the next call", { class: "sub" }));
    }
    return node;
  }

  function nameBox(picture, place) {
    if (picture.kind === "page")
      return draw(
        "g",
        {},
        frame(place, { class: "box absent" }),
        write(place.x + 16, place.y + 32, "No name that browsers use", { class: "head" }),
        write(place.x + 16, place.y + 55, "the page fails over by itself", { class: "sub" }),
      );
    const shown = lines(picture.host, Math.floor((place.w - 26) / 8.4)).slice(0, 2);
    const top = place.y + (place.h > 80 ? 32 : 26) - (shown.length > 1 ? 4 : 0);
    const clock = picture.ttlInForce === picture.ttl ? "" : `, here ${Number(picture.ttlInForce.toPrecision(2))} s`;
    return draw(
      "g",
      {},
      frame(place, { class: "box name" }),
      ...shown.map((text, index) => write(place.x + 16, top + 20 * index, text, { class: "head mono" })),
      write(place.x + 16, top + 20 * shown.length + 4, `${picture.policy} routing`, { class: "sub" }),
      place.h > 80 ? write(place.x + 16, top + 20 * shown.length + 24, `TTL ${picture.ttl} s${clock}`, { class: "sub" }) : null,
    );
  }

  function checkLine(record, place) {
    const { check } = record;
    const y = place.y + place.h - 20;
    const left = place.x + 16;
    if (!check) return [write(left, y + 5, "no health check", { class: "sub warn" })];
    const most = Math.max(1, Math.floor((place.w - 32) / LIGHT));
    return [
      write(left, y - 14, check.own ? "this page's probe" : `health check${check.held ? `, ${check.held}` : ""}`, { class: "sub" }),
      ...check.lights.slice(0, most).map((each, index) => light(left + 4 + index * LIGHT, y + 3, each)),
    ];
  }

  function recordBox(record, place) {
    const right = place.x + place.w - 16;
    return draw(
      "g",
      { class: `record slot-${record.slot}${record.healthy ? "" : " withdrawn"}` },
      frame(place, { class: "box" }),
      draw("rect", { x: place.x, y: place.y + 14, width: 4, height: place.h - 28, rx: 2, class: "edge" }),
      write(place.x + 16, place.y + 30, record.place, { class: "head" }),
      write(right, place.y + 30, record.healthy ? share(record) : place.w > 200 ? "withdrawn" : "out", {
        class: record.healthy ? "share" : "share bad",
        "text-anchor": "end",
      }),
      ...checkLine(record, place),
    );
  }

  function regionBox(record, place) {
    const middle = place.x + place.w / 2;
    const tall = place.h > 80;
    return draw(
      "g",
      { class: `region slot-${record.slot}${record.well ? "" : " ill"}` },
      frame(place, { class: "box" }),
      write(middle, place.y + (tall ? 48 : 34), record.place, { class: "head", "text-anchor": "middle" }),
      write(middle, place.y + (tall ? 70 : 54), record.region, { class: "sub mono", "text-anchor": "middle" }),
    );
  }

  function arrow(path, attributes) {
    return [
      draw("path", { d: path.d, fill: "none", ...attributes }),
      draw("circle", { cx: path.end.x, cy: path.end.y, r: 3.5, class: `${attributes.class} tip` }),
    ];
  }

  function links(picture, plan) {
    const found = [];
    const chosen = picture.kept ? picture.kept.region : "";
    if (picture.kind === "name") found.push(...arrow(line(plan, plan.asker, plan.name), { class: "link", "stroke-width": 2 }));
    picture.records.forEach((record, index) => {
      const { record: place, region } = plan.rows[index];
      const part = record.share === null ? (record.region === chosen ? 1 : 0.25) : record.share;
      const state = record.healthy && part > 0 ? "flows" : "rests";
      const mine = record.region === chosen ? " chosen" : "";
      const thick = state === "flows" ? 2 + 5 * part : 1.5;
      const across = plan.wide ? [0.5, 0.3] : [(index + 0.5) / picture.records.length, 0.5];
      const source = picture.kind === "name" ? plan.name : plan.asker;
      if (picture.kind === "name" || plan.wide)
        found.push(...arrow(line(plan, source, place, ...across), { class: `link slot-${record.slot} ${state}${mine}`, "stroke-width": thick }));
      found.push(...arrow(line(plan, place, region, 0.3, 0.3), { class: `link slot-${record.slot} ${state}${mine}`, "stroke-width": thick }));
      const watched = record.check ? picture.records.findIndex((other) => other.region === record.check.watches) : -1;
      if (watched >= 0)
        found.push(
          ...arrow(line(plan, place, plan.rows[watched].region, 0.74, 0.74), {
            class: `watch${record.check.crossed ? " crossed" : ""}`,
            "stroke-width": record.check.crossed ? 2.5 : 1.5,
          }),
        );
    });
    return found;
  }

  function words(picture) {
    const each = picture.records.map((record) => {
      const what = record.healthy ? share(record) || "in use" : "withdrawn";
      return `${record.place} ${what}${record.well ? "" : ", broken"}${record.check?.crossed ? ", its health check watches another region" : ""}`;
    });
    const head = picture.kind === "name" ? `${picture.host}, ${picture.policy} routing` : "This page chooses a region by itself";
    return `${head}: ${each.join("; ")}.`;
  }

  function render(picture, width) {
    const plan = boxes(width, picture.records.length);
    const inner = [
      ...links(picture, plan),
      asker(picture, plan.asker),
      nameBox(picture, plan.name),
      ...picture.records.flatMap((record, index) => [
        recordBox(record, plan.rows[index].record),
        regionBox(record, plan.rows[index].region),
      ]),
    ];
    return draw(
      "svg",
      {
        class: "way",
        width,
        height: plan.height,
        viewBox: `0 0 ${width} ${plan.height}`,
        role: "img",
        "aria-label": words(picture),
      },
      ...inner,
    );
  }

  W.drawing = { render, words };
})((globalThis.Workshop = globalThis.Workshop || {}));
