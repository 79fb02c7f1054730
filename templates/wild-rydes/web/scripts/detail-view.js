/* detail-view.js: one ticket. In: a ticket, who answered with it {verb, region, took in milliseconds}. Out: nodes in #detail; everything is text. */
(function (W) {
  "use strict";
  const { make, byId } = W.dom;
  const { ms } = W.format;

  const fact = (name, ...value) => make("div", {}, make("dt", {}, name), make("dd", {}, ...value));
  const back = () => make("a", { class: "back quiet small", href: "#" }, "All tickets");

  function show(world, ticket, { verb, region, took }) {
    const { status, priority, region: place } = W.ticketChips;
    const at = Date.parse(ticket.createdOn);
    byId("detail").replaceChildren(
      back(),
      make("h2", { id: "detail-title", tabindex: "-1" }, "Ticket"),
      make("p", { class: "description" }, ticket.description),
      make(
        "dl",
        { class: "facts" },
        fact("Status", status(ticket)),
        fact("Priority", priority(ticket)),
        fact("Assigned to", ticket.assigned || "–"),
        fact("Created by", ticket.createdBy || "–"),
        fact("Created on", make("time", { datetime: ticket.createdOn }, Number.isNaN(at) ? ticket.createdOn : new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" }))),
        fact("Created in", place(world, ticket.region)),
        fact("Id", make("code", { class: "id" }, ticket.id)),
      ),
      make("p", { class: "quiet small read-from" }, verb, " ", place(world, region), ` in ${ms(took)}`),
    );
  }

  function wait() {
    byId("detail").replaceChildren(back(), make("h2", { id: "detail-title", tabindex: "-1" }, "Ticket"), make("p", { class: "quiet" }, "Fetching it …"));
  }

  function fail(words) {
    byId("detail").replaceChildren(back(), make("h2", { id: "detail-title", tabindex: "-1" }, "Ticket"), make("p", { class: "notice bad" }, words));
  }

  W.detailView = { show, wait, fail };
})((globalThis.Workshop = globalThis.Workshop || {}));
