/* tickets-api.js: the three requests about tickets, tried again until the API answers.
 * In: reach.js, signin.js. Out: list(after, signal), get(id, signal), create(draft, known, signal): answers of calls.js; a created
 * ticket is `body` of an answer that is ok. Only the access token is sent. */
(function (W) {
  "use strict";
  const PAGE = 20;
  const LOOK = 25;

  function create(reach, signin) {
    const send = async (path, options) => {
      const answer = await reach.send(path, { ...options, headers: signin.header });
      if (answer.status === 401) signin.refused();
      return answer;
    };

    function list(after, signal) {
      const query = new URLSearchParams({ limit: String(PAGE), ...(after ? { after } : {}) });
      return send(`ticket?${query}`, { signal });
    }

    const get = (id, signal) => send(`ticket/${encodeURIComponent(id)}`, { signal });

    /* A ticket whose answer was lost may have been stored: it is looked for before it is sent again, among the newest ones, so
     * that one ticket does not become two. `known` are the ids that existed before. */
    async function arrived(draft, known) {
      const answer = await send(`ticket?limit=${LOOK}`, { once: true });
      if (!answer.ok) return answer;
      const names = signin.state().who?.names ?? [];
      const same = (ticket) =>
        !known.has(ticket.id) && names.includes(ticket.createdBy) && W.ticketFields.FIELDS.every((name) => ticket[name] === draft[name]);
      const found = (Array.isArray(answer.body.tickets) ? answer.body.tickets : []).find((ticket) => ticket && same(ticket));
      return found ? { ...answer, body: found, region: found.region } : null;
    }

    const make = (draft, known, signal) =>
      send("ticket", { method: "POST", body: draft, signal, before: () => arrived(draft, known) });

    return { list, get, create: make };
  }

  W.ticketsApi = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
