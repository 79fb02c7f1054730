/* arithmetic.js: the page of the arithmetic: sliders in, a drawing, figures and sentences out. */
(function (W) {
  "use strict";
  const { make, byId, say } = W.dom;
  const { availability: A } = W;
  const LEAST = 0.05; // minutes at which a bar begins
  const form = byId("sliders");
  const NAMES = {
    part: () => "One part",
    region: ({ parts }) => `One region: ${parts} ${parts === 1 ? "part" : "parts in series"}`,
    apart: ({ copies }) => `${copies} ${copies === 1 ? "region" : "regions, independent"}`,
    together: () => "with what they share",
    failover: () => "with the time to fail over",
  };

  const value = (id) => Number(byId(id).value);

  function settings() {
    return {
      part: A.ofNines(value("part")),
      parts: value("count"),
      copies: value("copies"),
      shared: value("shared") > 6.9 ? 1 : A.ofNines(value("shared")),
      failures: value("failures"),
      failover: value("failover") / 60,
      people: value("people") / 100,
    };
  }

  function labels(given) {
    const each = {
      part: A.percent(given.part),
      count: String(given.parts),
      copies: String(given.copies),
      shared: given.shared === 1 ? "nothing" : A.percent(given.shared),
      failures: `${given.failures} a year`,
      failover: A.time(given.failover),
      people: `${Math.round(given.people * 100)} %`,
    };
    for (const [id, text] of Object.entries(each)) {
      say(byId(`${id}-out`), text);
      byId(id).setAttribute("aria-valuetext", text);
    }
  }

  const short = (number) => String(Number(number.toPrecision(7)));

  function formulas(given, found) {
    const [, region, apart, together] = found;
    const part = short(given.part);
    const chain = given.parts > 1 ? `${part}${given.parts === 2 ? ` × ${part}` : ` to the power of ${given.parts}`} = ${short(region.availability)}` : "";
    const miss = short(1 - region.availability);
    const copies = given.copies > 1 ? `1 − ${miss}${given.copies === 2 ? " × " + miss : ` to the power of ${given.copies}`} = ${short(apart.availability)}` : "";
    const shared = given.shared < 1 ? `${short(given.shared)} × ${short(apart.availability)} = ${short(together.availability)}` : "";
    return { region: chain, apart: copies, together: shared, failover: given.copies > 1 ? `${given.failures} × ${A.time(given.failover)} × ${Math.round(given.people * 100)} % of the people` : "" };
  }

  /* A logarithmic scale: a bar ten times as short is a tenth of the downtime. */
  function part(minutes) {
    const most = Math.log10(A.YEAR / LEAST);
    return Math.min(1, Math.max(0.004, Math.log10(Math.max(minutes, LEAST) / LEAST) / most));
  }

  function row(each, given, formula) {
    return make(
      "li",
      { class: `bar-row ${each.id}` },
      make("span", { class: "bar-name" }, NAMES[each.id](given)),
      make("strong", { class: "bar-value" }, A.percent(each.availability)),
      make("span", { class: "bar-time" }, `${A.time(each.minutes)} down a year`),
      make("span", { class: "bar" }, make("span", { class: "bar-fill", vars: { "--part": String(part(each.minutes)) } })),
      formula ? make("code", { class: "bar-formula quiet" }, formula) : null,
    );
  }

  function verdict(given, found) {
    const by = Object.fromEntries(found.map((each) => [each.id, each]));
    if (given.copies === 1) return "One region is as good as the chain of its parts, and every part makes it worse.";
    const gained = by.region.minutes / Math.max(by.failover.minutes, 1e-9);
    if (gained < 1.5) return "The second region buys next to nothing here: what the copies share, or the time to fail over, takes it away.";
    const brake = by.together.minutes - by.apart.minutes;
    const slow = by.failover.minutes - by.together.minutes;
    const worst = brake > slow ? "what the regions share" : "the time to fail over";
    return `${Math.round(gained)} times less downtime than one region. What is left is mostly ${brake + slow > by.apart.minutes ? worst : "both regions failing at once"}.`;
  }

  function refresh() {
    const given = settings();
    const found = A.rows(given);
    labels(given);
    const formula = formulas(given, found);
    byId("bars").replaceChildren(...found.map((each) => row(each, given, formula[each.id])));
    const words = `${given.copies} copies, each of ${given.parts} parts${given.shared < 1 ? ", behind something that all of them share" : ""}.`;
    const width = Math.max(260, byId("drawn").clientWidth);
    byId("drawn").replaceChildren(W.parts.render({ ...given, shared: given.shared < 1, words }, width));
    say(byId("verdict"), verdict(given, found));
  }

  const world = W.world.current;
  const here = A.bound(world);
  byId("failover").defaultValue = String(Math.min(1800, Math.round(here * 12) * 5));
  say(
    byId("bound"),
    `In this workshop: ${world.interval} s × ${world.threshold} until the checkers agree, ${world.interval} s for the slowest of them, ${world.ttl} s of kept answers: ${A.time(here)} at most.`,
  );
  form.addEventListener("input", refresh);
  form.addEventListener("reset", () => setTimeout(refresh, 0));
  form.addEventListener("submit", (event) => event.preventDefault());
  globalThis.addEventListener("resize", refresh);
  refresh();
})((globalThis.Workshop = globalThis.Workshop || {}));
