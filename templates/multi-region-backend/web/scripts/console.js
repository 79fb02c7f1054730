/* console.js: puts the console together: the drawing, the lanes, writing through the name, answers, items. */
(function (W) {
  "use strict";
  const { make, byId, say } = W.dom;
  const world = W.world.current;
  const BATCH = 70;
  const AT_ONCE = 2; // more would only start more processes behind the local cloud
  const REDRAW_MS = 250;
  const ASK_MS = 1000;
  const places = new Map(world.regions.map((region) => [region.id, region.place]));

  byId("none").hidden = world.regions.length > 0;
  byId("all").hidden = world.regions.length === 0;
  if (!world.regions.length) return;

  const feed = { document: null, at: 0 };
  let lastRegion = null;
  let writing = false;

  const target = W.target.create(world, refresh);
  const items = W.items.create(world);
  const answers = W.answers.create(world);
  const tiles = W.tiles.create(byId("tiles"), byId("shares"), world);
  const lanes = new Map(world.regions.map((region) => [region.id, W.lanes.create(region)]));
  byId("lanes").append(...[...lanes.values()].map((lane) => lane.node));

  /* What this browser's resolver keeps: from the feed; elsewhere only the region of the last answer is known. */
  function kept() {
    if (target.phase() !== "named") return { region: target.region(), seconds: null };
    const all = Array.isArray(feed.document?.cache) ? feed.document.cache : [];
    const mine = all.filter((entry) => entry.name === world.name.host && /^[\d.:a-f]+$/.test(entry.client));
    const entry = mine.find(({ region }) => region === lastRegion) ?? mine[0];
    const left = entry ? entry.seconds - (performance.now() - feed.at) / 1000 : -1;
    if (left > 0) return { region: entry.region, seconds: left };
    return lastRegion && !feed.document ? { region: lastRegion, seconds: null } : null;
  }

  const picture = () => W.picture.make({ world, feed: feed.document, probes: probes.state(), kept: kept() });

  function refresh() {
    const now = picture();
    byId("way").replaceChildren(W.drawing.render(now, Math.max(300, byId("way").clientWidth)));
    for (const region of world.regions) {
      const record = now.records.find((each) => each.region === region.id);
      lanes.get(region.id).show(record, now.kind, probes.state()[region.id], items.taken(region.id));
    }
    byId("problems").hidden = now.problems.length === 0;
    if (byId("problems").textContent !== now.problems.join("")) {
      byId("problems").replaceChildren(...now.problems.map((problem) => make("p", {}, problem)));
    }
    byId("go-back").hidden = target.phase() !== "offering";
    say(byId("where"), now.kind === "name" ? world.name.host : `${places.get(target.region())}, chosen by this page`);
  }

  /* Headers that only the local cloud understands: who asks, and from where. AWS's API would be asked for a preflight in vain. */
  function headers(person) {
    if (!world.local || target.phase() !== "named") return {};
    const from = byId("from").value;
    return { ...(person ? { "X-Workshop-Client": person } : {}), ...(from ? { "X-Workshop-From": from } : {}) };
  }

  async function ask(path, options, what, person) {
    const answer = await W.calls.send(target.now(), path, { ...options, headers: headers(person) });
    if (answer.region && !person) lastRegion = answer.region;
    const now = kept();
    answers.add(answer, what, now && !person ? now.seconds : null);
    if (target.phase() !== "named") target.heard(answer.target.id, answer.ok);
    return answer;
  }

  const run = () => Math.random().toString(36).slice(2, 8);

  async function write(id, comment, person) {
    const body = { item_id: id, session_comment: comment };
    const answer = await ask("", { method: "POST", body }, `stored ${id}`, person);
    if (answer.ok) items.add({ ...body, ...answer.body });
    return answer;
  }

  async function writeMany() {
    const mine = run();
    const apart = byId("apart").checked && !byId("apart").closest("label").hidden;
    const shares = new Map(picture().records.map((record) => [record.region, record.share]));
    const begun = performance.now();
    tiles.begin(BATCH);
    say(byId("batch-words"), `Writing ${BATCH} items ...`);
    const seen = [];
    const found = await W.batch.run(
      BATCH,
      apart ? AT_ONCE : 1,
      (index) => {
        const comment = `Item ${index + 1} of ${BATCH}`;
        return write(`${mine}-${String(index + 1).padStart(2, "0")}`, comment, apart ? `${mine}-${index}` : "");
      },
      (answer, index) => {
        tiles.show(answer, index);
        seen.push(answer);
        tiles.sum(W.batch.tally(seen));
      },
    );
    const seconds = (performance.now() - begun) / 1000;
    const named = target.phase() === "named";
    say(byId("batch-words"), W.batch.words({ answers: found, places, shares, apart, named, seconds }));
  }

  async function writeOne() {
    const answer = await write(`${run()}-01`, byId("comment").value.trim() || "Written by hand");
    const taken = `Stored by ${places.get(answer.region) ?? answer.region}.`;
    say(byId("batch-words"), answer.ok ? taken : answer.words);
  }

  async function busily(work) {
    if (writing) return;
    writing = true;
    for (const button of [byId("write"), byId("write-one")]) button.disabled = true;
    await work();
    writing = false;
    for (const button of [byId("write"), byId("write-one")]) button.disabled = false;
    refresh();
  }

  byId("write").addEventListener("click", () => busily(writeMany));
  byId("one").addEventListener("submit", (event) => {
    event.preventDefault();
    busily(writeOne);
  });
  byId("clear").addEventListener("click", answers.clear);
  byId("go-back").addEventListener("click", () => target.goBack());

  const probes = W.probes.create(world.regions, world.threshold, (region, answer) => {
    if (target.phase() !== "named") target.heard(region.id, answer.ok);
  });
  const source = W.feed.create(world.local, (document) => {
    Object.assign(feed, { document, at: performance.now() });
  });
  for (const id of ["apart", "from"]) byId(id).closest("label").hidden = !(world.local && world.name.url);

  const live = byId("live");
  live.checked = W.storage.recall("ask", (value) => typeof value === "boolean", true);
  live.addEventListener("change", () => W.storage.keep("ask", live.checked));
  async function turn() {
    if (live.checked && !writing && !document.hidden) await ask("health", {}, "is healthy");
    setTimeout(turn, ASK_MS);
  }

  source.start();
  probes.start();
  turn();
  refresh();
  setInterval(refresh, REDRAW_MS);
  globalThis.addEventListener("resize", refresh);
})((globalThis.Workshop = globalThis.Workshop || {}));
