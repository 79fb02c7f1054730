/* api.js: one call to one region's API.
 * In: a backend, a path such as get/user100/AshlandValley, a deadline in milliseconds.
 * Out: an answer {ok, kind, status, body, words, totalMs, databaseMs, sentAt, answeredAt}; times in milliseconds.
 * Never throws: whatever the network does comes back as an answer with words. */
(function (W) {
  "use strict";
  const DEADLINE_MS = 10000;
  const pinned = new Map(); // backend id -> the address that answered first

  const path = (...parts) => parts.map((part) => encodeURIComponent(String(part))).join("/");
  const clip = (text) => (text.length > 160 ? `${text.slice(0, 157)}...` : text);

  function detailOf(body) {
    if (!body || typeof body !== "object") return "";
    const text = body.Error ?? body.error ?? body.message ?? body.Message;
    return typeof text === "string" ? clip(text) : "";
  }

  function judge(response, text) {
    let body;
    try {
      body = JSON.parse(text);
    } catch {
      return { kind: response.ok ? "garbled" : "status", status: response.status, detail: "" };
    }
    if (!response.ok) return { kind: "status", status: response.status, detail: detailOf(body), body };
    if (!body || typeof body !== "object") return { kind: "garbled", status: response.status };
    // The original of this API reports its failures with status 200, so the body decides.
    if (Object.hasOwn(body, "Error")) return { kind: "failure", status: response.status, detail: detailOf(body), body };
    return { kind: "ok", status: response.status, body };
  }

  async function attempt(base, where, { deadline = DEADLINE_MS, signal, keepalive = false }) {
    const stop = new AbortController();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      stop.abort();
    }, deadline);
    const giveUp = () => stop.abort();
    if (signal) signal.addEventListener("abort", giveUp);
    try {
      if (signal && signal.aborted) return { kind: "aborted" };
      const response = await fetch(base + where, {
        signal: stop.signal,
        keepalive,
        cache: "no-store",
        credentials: "omit",
        referrerPolicy: "no-referrer",
      });
      return judge(response, await response.text());
    } catch {
      if (late) return { kind: "timeout", seconds: Math.round(deadline / 100) / 10 };
      return { kind: signal && signal.aborted ? "aborted" : "network" };
    } finally {
      clearTimeout(timer);
      if (signal) signal.removeEventListener("abort", giveUp);
    }
  }

  async function call(backend, where, options = {}) {
    const sentAt = performance.now();
    let outcome = await attempt(pinned.get(backend.id) || backend.url, where, options);
    // Some browsers do not resolve names under localhost; the same API has a second address that needs no name.
    if (outcome.kind === "network" && !pinned.has(backend.id) && backend.pathUrl !== backend.url) {
      outcome = await attempt(backend.pathUrl, where, options);
      if (outcome.kind !== "network") pinned.set(backend.id, backend.pathUrl);
    } else if (outcome.kind !== "network" && !pinned.has(backend.id)) {
      pinned.set(backend.id, backend.url);
    }
    const answeredAt = performance.now();
    const latency = outcome.body && outcome.body.Latency;
    return {
      backend,
      ok: outcome.kind === "ok",
      kind: outcome.kind,
      status: outcome.status ?? null,
      body: outcome.body ?? null,
      words: outcome.kind === "ok" ? null : W.failures.words(outcome.kind, backend.place, outcome),
      totalMs: answeredAt - sentAt,
      databaseMs: typeof latency === "number" ? latency : null,
      sentAt,
      answeredAt,
    };
  }

  W.api = { call, path };
})((globalThis.Workshop = globalThis.Workshop || {}));
