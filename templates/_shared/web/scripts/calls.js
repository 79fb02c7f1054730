/* calls.js: one request to an API, through the name or at a region's own address.
 * In: a target {id, place, url, pathUrl}, a path, {method, body, headers, deadline in milliseconds}.
 * Out: {ok, kind, status, body, words, region, source, ms, at}: `region` is the one that took the request, `source` what the local
 * cloud's resolver did (asked, cache, address; empty on AWS), `at` is on the clock of performance.now().
 * Never throws: whatever the network does comes back as an answer with words. */
(function (W) {
  "use strict";
  const DEADLINE_MS = 15000;
  const pinned = new Map(); // target id -> the address that responded first

  const clip = (text) => (text.length > 160 ? `${text.slice(0, 157)}...` : text);

  function detail(body) {
    const text = body && typeof body === "object" ? (body.Error ?? body.message) : "";
    return typeof text === "string" ? clip(text) : "";
  }

  const WORDS = {
    network: (place) => `${place} did not answer: refused, or without CORS headers.`,
    timeout: (place, { seconds }) => `${place} did not answer within ${seconds} s.`,
    status: (place, { status, body }) => `${place} answered with status ${status}${detail(body) ? `: ${detail(body)}` : ""}.`,
    garbled: (place) => `${place} answered with something that is not JSON.`,
  };

  function parsed(text) {
    try {
      const body = JSON.parse(text);
      return body && typeof body === "object" ? body : null;
    } catch {
      return null;
    }
  }

  async function attempt(url, { method = "GET", body, headers = {}, deadline = DEADLINE_MS }) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), deadline);
    try {
      const response = await fetch(url, {
        method,
        headers: body === undefined ? headers : { ...headers, "Content-Type": "application/json" },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: stop.signal,
        cache: "no-store",
        credentials: "omit",
        referrerPolicy: "no-referrer",
      });
      const content = parsed(await response.text());
      const kind = !response.ok ? "status" : content === null ? "garbled" : "ok";
      return {
        kind,
        status: response.status,
        body: content,
        region: response.headers.get("X-Workshop-Region") || "",
        source: response.headers.get("X-Workshop-Dns") || "",
      };
    } catch {
      return stop.signal.aborted ? { kind: "timeout", seconds: Math.round(deadline / 100) / 10 } : { kind: "network" };
    } finally {
      clearTimeout(timer);
    }
  }

  /* Which region a body names: `read_in` of an item that was read, `region` of everything else. */
  const named = (body) => [body?.read_in, body?.region].find((value) => typeof value === "string") ?? "";

  async function send(target, path, options = {}) {
    const sentAt = performance.now();
    let found = await attempt((pinned.get(target.id) || target.url) + path, options);
    // Some browsers do not resolve names under localhost; a region's own API has a second address that needs no name.
    if (found.kind === "network" && !pinned.has(target.id) && target.pathUrl && target.pathUrl !== target.url) {
      found = await attempt(target.pathUrl + path, options);
      if (found.kind !== "network") pinned.set(target.id, target.pathUrl);
    } else if (found.kind !== "network" && !pinned.has(target.id)) {
      pinned.set(target.id, target.url);
    }
    const at = performance.now();
    return {
      target,
      ok: found.kind === "ok",
      kind: found.kind,
      status: found.status ?? null,
      body: found.body ?? null,
      words: found.kind === "ok" ? "" : WORDS[found.kind](target.place, found),
      region: found.region || named(found.body),
      source: found.source || "",
      ms: at - sentAt,
      at,
    };
  }

  W.calls = { send };
})((globalThis.Workshop = globalThis.Workshop || {}));
