/* ticket-chips.js: status, priority and region of a ticket as small labels. Values are text; unknown ones get no colour. */
(function (W) {
  "use strict";
  const { make } = W.dom;
  const { CHOICES } = W.ticketFields;
  const kind = (name, value) => (CHOICES[name].includes(value) ? ` ${name}-${value}` : "");

  const status = (ticket) => make("span", { class: `chip${kind("status", ticket.status)}` }, ticket.status || "no status");
  const priority = (ticket) => make("span", { class: `chip${kind("priority", ticket.priority)}` }, ticket.priority || "no priority");

  function region(world, id) {
    const found = world.regions.find((each) => each.id === id);
    return make("span", { class: `region-tag slot-${found ? found.slot : 6}` }, make("span", { class: "swatch", "aria-hidden": "true" }), make("span", { class: "tag" }, found ? found.place : id || "unknown region"));
  }

  W.ticketChips = { status, priority, region };
})((globalThis.Workshop = globalThis.Workshop || {}));
