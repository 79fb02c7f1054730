/* list-view.js: the tickets, newest first, a page at a time.
 * In: pages of tickets, the id that is open. Out: {show, append, prepend, mark, ids, busy, words, clear}. */
(function (W) {
  "use strict";
  const { make, byId, say } = W.dom;

  function create(world) {
    const list = byId("list");
    const rows = new Map(); // id -> link

    function row(ticket) {
      const { status, priority, region } = W.ticketChips;
      const link = make(
        "a",
        { class: "ticket", href: `#ticket=${encodeURIComponent(ticket.id)}` },
        make("span", { class: "ticket-words" }, ticket.description),
        make(
          "span",
          { class: "ticket-facts" },
          status(ticket),
          priority(ticket),
          make("span", { class: "quiet" }, ticket.assigned),
          region(world, ticket.region),
          make("time", { class: "quiet", datetime: ticket.createdOn }, W.ticketFields.when(ticket.createdOn, Date.now())),
        ),
      );
      rows.set(ticket.id, link);
      return make("li", {}, link);
    }

    const fresh = (tickets) => tickets.filter((ticket) => !rows.has(ticket.id));

    function settle(next) {
      byId("list-empty").hidden = rows.size > 0;
      list.hidden = rows.size === 0;
      byId("older").hidden = !next;
    }

    function show(tickets, next) {
      const focused = [...rows].find(([, link]) => link === document.activeElement)?.[0];
      rows.clear();
      list.replaceChildren(...tickets.map(row));
      rows.get(focused)?.focus();
      settle(next);
    }

    function append(tickets, next) {
      const added = fresh(tickets).map(row);
      list.append(...added);
      settle(next);
      added[0]?.querySelector("a").focus();
    }

    function prepend(ticket) {
      list.prepend(...fresh([ticket]).map(row));
      settle(!byId("older").hidden);
    }

    function mark(id) {
      for (const [each, link] of rows) {
        if (each === id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    }

    function clear() {
      rows.clear();
      list.replaceChildren();
      byId("list-empty").hidden = byId("older").hidden = true;
      say(byId("list-words"), "");
    }

    return {
      show, append, prepend, mark, clear,
      ids: () => new Set(rows.keys()),
      busy: (yes) => list.setAttribute("aria-busy", String(yes)),
      words: (text) => say(byId("list-words"), text),
    };
  }

  W.listView = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
