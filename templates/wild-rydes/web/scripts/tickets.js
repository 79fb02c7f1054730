/* tickets.js: puts the page of tickets together: sign-in, list, one ticket, a new ticket, the strip of regions. */
(function (W) {
  "use strict";
  const { byId, say } = W.dom;
  const { ms } = W.format;
  const world = W.world.current;
  const provider = W.provider.current;
  const obstacle = W.provider.obstacle(provider, globalThis.location, globalThis.isSecureContext);

  byId("none").hidden = world.regions.length > 0;
  byId("route").hidden = byId("log-box").hidden = world.regions.length === 0;

  const session = W.signin.create(provider);
  const gate = W.gateView.create({ obstacle, onIn: () => session.begin(view()), onOut: signOut });
  const list = W.listView.create(world);
  const form = W.formView.create({ onSend: send, onStop: () => sendingNow?.abort() });
  const log = W.logView.create(world);
  let served = "";
  let loading = null;
  let opening = null;
  let sendingNow = null;
  let next = null;
  const created = new Map(); // id -> {ticket, answer}: just made here, so nothing has to be fetched

  const place = (id) => world.regions.find((region) => region.id === id)?.place ?? (id || "an unnamed region");
  const view = () => globalThis.location.hash.slice(1);
  const signedIn = () => session.state().phase === "in";

  const reach = world.regions.length ? W.watch.start(world, onAnswer) : null;
  const api = reach ? W.ticketsApi.create(reach, session) : null;

  function onAnswer(answer) {
    log.add(answer);
    if (!answer.region || answer.region === served) return;
    const moved = served !== "";
    served = answer.region;
    if (moved && signedIn() && !sendingNow && !answer.path.startsWith("ticket?")) load();
  }

  async function load(after = null) {
    loading?.abort();
    const mine = (loading = new AbortController());
    list.busy(true);
    list.words(after ? "Fetching older tickets …" : "Fetching the newest tickets …");
    const answer = await api.list(after, mine.signal);
    if (mine.signal.aborted) return;
    list.busy(false);
    if (!answer.ok) return list.words(signedIn() ? answer.words : "");
    const tickets = (Array.isArray(answer.body.tickets) ? answer.body.tickets : []).map(W.ticketFields.ticket).filter(Boolean);
    next = typeof answer.body.next === "string" ? answer.body.next : null;
    if (after) list.append(tickets, next);
    else list.show(tickets, next);
    mark();
    const count = list.ids().size;
    list.words(`${count || "No"} ticket${count === 1 ? "" : "s"}${next ? " so far" : ""}, read from ${place(answer.region)} in ${ms(answer.ms)}`);
  }

  const idOf = (hash) => {
    try {
      return hash.startsWith("ticket=") ? decodeURIComponent(hash.slice("ticket=".length)) : "";
    } catch {
      return "";
    }
  };

  const mark = () => list.mark(idOf(view()));

  async function fetchTicket(id) {
    const mine = opening;
    W.detailView.wait();
    const answer = await api.get(id, mine.signal);
    if (mine.signal.aborted) return;
    const ticket = answer.ok ? W.ticketFields.ticket(answer.body) : null;
    if (ticket) return W.detailView.show(world, ticket, { verb: "Read from", region: answer.region, took: answer.ms });
    const missing = `${place(answer.region || served)} has no ticket with this id. One that was just made in another region arrives within seconds.`;
    W.detailView.fail(answer.status === 404 ? missing : signedIn() ? answer.words || "This is no ticket." : "Sign in again to see this ticket.");
  }

  function open({ focus = true } = {}) {
    const hash = view();
    const id = idOf(hash);
    opening?.abort();
    opening = new AbortController();
    document.body.dataset.view = hash === "new" ? "form" : id ? "detail" : "list";
    byId("form").hidden = hash !== "new";
    byId("detail").hidden = !id;
    byId("hint").hidden = hash === "new" || Boolean(id);
    mark();
    if (id && created.has(id)) {
      const { ticket, answer } = created.get(id);
      W.detailView.show(world, ticket, { verb: "Taken by", region: answer.region, took: answer.ms });
    } else if (id && signedIn()) {
      fetchTicket(id);
    }
    if (focus) (hash === "new" ? byId("description") : (id && byId("detail-title")) || byId("list-title")).focus({ preventScroll: false });
  }

  function stopped(answer) {
    const unsure = W.patience.worth(answer);
    form.words(unsure ? "Stopped. Whether the last try arrived is not known; your text is kept." : "Stopped. Your text is kept.", "warn");
  }

  async function send(typed) {
    const draft = { ...typed, description: typed.description.trim() };
    const wrong = W.ticketFields.check(draft);
    form.errors(wrong);
    form.words("");
    if (Object.keys(wrong).length) return;
    if (!signedIn()) return form.words("Your sign-in has ended. Sign in again, then send it: your text is kept.", "warn");
    const mine = (sendingNow = new AbortController());
    form.sending(true);
    const answer = await api.create(draft, list.ids(), mine.signal);
    sendingNow = null;
    form.sending(false);
    if (answer.ok) return arrived(answer);
    if (mine.signal.aborted) return stopped(answer);
    if (answer.status === 400) {
      const { fields, rest } = W.ticketFields.refused(answer.body);
      return form.errors(fields, rest);
    }
    if (signedIn()) return form.words(`${answer.words} Your text is kept.`, "bad");
    return form.words("Your sign-in ended before this was sent. Sign in again, then send it: your text is kept.", "warn");
  }

  function arrived(answer) {
    const ticket = W.ticketFields.ticket(answer.body);
    form.reset();
    if (!ticket) return load();
    created.set(ticket.id, { ticket, answer });
    list.prepend(ticket);
    list.words(`Ticket created in ${place(ticket.region || answer.region)}`);
    globalThis.location.hash = `ticket=${encodeURIComponent(ticket.id)}`;
  }

  function signOut() {
    W.drafts.forget();
    list.clear();
    created.clear();
    byId("detail").replaceChildren();
    form.reset();
    session.signOut();
  }

  let before = session.state().phase;
  session.onChange((state) => {
    gate.show(state);
    if (state.phase === "in" && before !== "in" && api) {
      load();
      open({ focus: false });
    }
    before = state.phase;
  });

  globalThis.addEventListener("hashchange", () => open());
  byId("refresh").addEventListener("click", () => signedIn() && load());
  byId("older").addEventListener("click", () => next && signedIn() && load(next));
  byId("local").hidden = !world.local || Boolean(obstacle);
  say(byId("identity"), globalThis.WORKSHOP_CONFIG?.identity_region ? W.places.place(globalThis.WORKSHOP_CONFIG.identity_region) : "a third region");
  gate.show(session.state());
  open({ focus: false });
  if (!obstacle) session.finish();
})((globalThis.Workshop = globalThis.Workshop || {}));
