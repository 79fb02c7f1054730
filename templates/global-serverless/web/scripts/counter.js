/* counter.js: the one item that the test harness works on, and its number.
 * In: a backend. Out: answers as api.js gives them, with the number taken out of the body (null when there is none). */
(function (W) {
  "use strict";
  const KEY = ["user100", "AshlandValley"];

  function numberOf(attribute) {
    const raw = attribute && typeof attribute === "object" ? attribute.N : attribute;
    const value = Number(raw);
    return raw === undefined || raw === null || raw === "" || !Number.isFinite(value) ? null : value;
  }

  const ping = (backend) => W.api.call(backend, "");

  async function read(backend) {
    const answer = await W.api.call(backend, W.api.path("get", ...KEY));
    return { ...answer, value: answer.ok && answer.body.Item ? numberOf(answer.body.Item.Bookmark) : null };
  }

  async function change(backend, by) {
    const answer = await W.api.call(backend, W.api.path("update", ...KEY, by));
    return { ...answer, by, value: answer.ok && answer.body.Attributes ? numberOf(answer.body.Attributes.Bookmark) : null };
  }

  W.counter = { ping, read, change };
})((globalThis.Workshop = globalThis.Workshop || {}));
