/* items.js: the items that this page wrote, and in which regions each has been found since.
 * In: items as the API returned them. Out: a list; every region is asked for every item until it has it, a few at once.
 * What an item contains is shown as text, never read as markup. */
(function (W) {
  "use strict";
  const { make, byId, say } = W.dom;
  const { ms } = W.format;
  const MOST = 140;
  const AT_ONCE = 4;
  const ELSEWHERE_MS = 500; // replication is about that quick: asking sooner only makes noise
  const AGAIN_MS = 1000;
  const GIVE_UP_MS = 60000;

  function create(world) {
    const known = new Map(world.regions.map((region) => [region.id, region]));
    const rows = []; // newest first: {item, writtenAt, node, marks, found}
    const waiting = [];
    let busy = 0;

    function rowOf(item) {
      const writer = known.get(item.region);
      const marks = new Map(world.regions.map((region) => [region.id, make("span", { class: `mark slot-${region.slot}` }, "looking")]));
      const node = make(
        "li",
        {},
        make("code", { class: "id" }, item.item_id),
        make("span", { class: "comment" }, item.session_comment),
        make("span", { class: `writer slot-${writer ? writer.slot : 6}` }, make("span", { class: "tag" }, writer ? writer.place : item.region)),
        make(
          "span",
          { class: "found" },
          ...world.regions.map((region) => make("span", { class: `place slot-${region.slot}` }, `${region.place} `, marks.get(region.id))),
        ),
      );
      return { item, writtenAt: performance.now(), node, marks, found: new Set() };
    }

    function count() {
      const total = rows.length;
      const parts = world.regions.map((region) => `${rows.filter((row) => row.found.has(region.id)).length} of ${total} in ${region.place}`);
      say(byId("items-count"), total ? parts.join(", ") : "");
      byId("items-none").hidden = total > 0;
    }

    async function look() {
      if (busy >= AT_ONCE || !waiting.length) return;
      busy += 1;
      const { row, region } = waiting.shift();
      const answer = await W.calls.send(region, encodeURIComponent(row.item.item_id), { deadline: 4000 });
      busy -= 1;
      const mark = row.marks.get(region.id);
      if (answer.ok) {
        row.found.add(region.id);
        mark.classList.add("there");
        say(mark, row.item.region === region.id ? "✓" : `✓ ${ms(answer.at - row.writtenAt)}`);
        count();
      } else if (answer.at - row.writtenAt < GIVE_UP_MS && rows.includes(row)) {
        say(mark, answer.status === 404 ? "not yet" : "no answer");
        setTimeout(later, AGAIN_MS, row, region);
      } else {
        say(mark, "not found");
      }
      look();
    }

    function later(row, region) {
      waiting.push({ row, region });
      look();
    }

    function add(item) {
      const row = rowOf(item);
      rows.unshift(row);
      byId("items").prepend(row.node);
      while (rows.length > MOST) rows.pop().node.remove();
      for (const region of world.regions) {
        if (region.id === item.region) waiting.push({ row, region });
        else setTimeout(later, ELSEWHERE_MS, row, region);
      }
      count();
      look();
    }

    const taken = (region) => rows.filter((row) => row.item.region === region).length;

    count();
    return { add, taken };
  }

  W.items = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
