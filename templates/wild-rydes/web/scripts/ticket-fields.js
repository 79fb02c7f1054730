/* ticket-fields.js: the fields of a ticket: their choices, their rules, and how their values are shown. Pure.
 * In: a draft; the body of a 400. Out: {field: what is wrong with it}; words. */
(function (W) {
  "use strict";
  const SHORTEST = 10;
  const CHOICES = {
    assigned: ["juan", "derek", "steven"],
    priority: ["low", "medium", "high"],
    status: ["open", "assigned", "closed"],
  };
  const FIELDS = ["description", ...Object.keys(CHOICES)];
  const HOUR = 3600000;

  function check(draft) {
    const length = [...draft.description.trim()].length;
    const wrong = {};
    if (length < SHORTEST)
      wrong.description = length ? `Describe it in at least ${SHORTEST} characters; these are ${length}.` : `Describe what happened, in at least ${SHORTEST} characters.`;
    for (const [name, choices] of Object.entries(CHOICES)) if (!choices.includes(draft[name])) wrong[name] = `Choose one of ${choices.join(", ")}.`;
    return wrong;
  }

  /* What the API found: {fields: by name of this form, rest: sentences about anything else}. */
  function refused(body) {
    const given = body && typeof body === "object" ? body : {};
    const named = given.fields && typeof given.fields === "object" ? Object.entries(given.fields) : [];
    const fields = Object.fromEntries(named.filter(([name]) => FIELDS.includes(name)).map(([name, why]) => [name, String(why)]));
    const rest = named.filter(([name]) => !FIELDS.includes(name)).map(([name, why]) => `${name}: ${String(why)}`);
    if (!named.length) rest.push(typeof given.message === "string" ? given.message : "The API did not accept this ticket.");
    return { fields, rest };
  }

  /* When a ticket was made, as people put it. `now` in milliseconds; what is no date is shown as it is. */
  function when(iso, now) {
    const at = Date.parse(iso);
    if (Number.isNaN(at)) return String(iso ?? "");
    if (now - at >= 0 && now - at < HOUR) return now - at < 60000 ? "just now" : `${Math.floor((now - at) / 60000)} min ago`;
    return new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  }

  /* A ticket of an answer, or null: what is shown is text, whatever the API sent. */
  function ticket(value) {
    if (!value || typeof value !== "object" || typeof value.id !== "string") return null;
    const names = ["id", ...FIELDS, "createdBy", "createdOn", "region"];
    return Object.fromEntries(names.map((name) => [name, typeof value[name] === "string" ? value[name] : ""]));
  }

  W.ticketFields = { check, refused, when, ticket, CHOICES, FIELDS };
})((globalThis.Workshop = globalThis.Workshop || {}));
