/* signin.js: OAuth 2.0 authorization code with PKCE for a public client. Tokens are in this tab's memory and nowhere else.
 *
 * In: the provider (provider.js), what the provider sent back in the address bar. Out: {state(), begin(view), finish(), header(),
 * refused(), signOut(), onChange}. `state()` is {phase, who, words, until}; phases: out, returning, in, expired, failed.
 * `view` is a part of the page that is opened again after the round trip.
 *
 * state, nonce and verifier are used once: they are deleted before anything is compared. The access token goes to the API, the ID
 * token only shows who signed in, a refresh token is dropped. */
(function (W) {
  "use strict";
  const PENDING = "signin";
  const DEADLINE_MS = 15000;
  const LONGEST_MS = 2 ** 31 - 1; // what setTimeout can count
  const text = (value) => typeof value === "string" && value !== "";
  const isPending = (value) => Boolean(value) && [value.state, value.nonce, value.verifier].every(text);
  const clip = (value) => (value.length > 160 ? `${value.slice(0, 157)}...` : value);

  const NOT_HERE = "This sign-in was not begun here, so it was not accepted. Begin it with the button below.";
  const STRANGE = "The sign-in service returned a token that is not for this sign-in. It was dropped.";

  /* What came back in the address: {} when nothing did, {words} when it must not go on, else {code}. */
  function judge(query, pending) {
    if (!query.has("code") && !query.has("error")) return {};
    if (!isPending(pending) || query.get("state") !== pending.state) return { words: NOT_HERE };
    if (query.has("error")) {
      const why = [query.get("error"), query.get("error_description")].filter(Boolean).map(clip).join(": ");
      return { words: `You were not signed in. The sign-in service reports ${why}.` };
    }
    return query.get("code") ? { code: query.get("code") } : { words: NOT_HERE };
  }

  /* The person of an ID token, or null when the token is not for this sign-in. `now` is in milliseconds. */
  function person(claims, nonce, provider, now) {
    const meant = claims && claims.nonce === nonce && claims.aud === provider.clientId && claims.iss === provider.issuer;
    if (!meant || !(claims.exp * 1000 > now)) return null;
    const names = [claims["cognito:username"], claims.sub, claims.email].filter(text);
    return { name: [claims.name, claims.email, ...names].find(text) ?? "you", names };
  }

  async function redeem(provider, code, verifier) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), DEADLINE_MS);
    try {
      const response = await fetch(provider.tokenUrl, {
        method: "POST",
        body: new URLSearchParams({
          grant_type: "authorization_code",
          client_id: provider.clientId,
          code,
          redirect_uri: provider.redirectUri,
          code_verifier: verifier,
        }),
        signal: stop.signal,
        cache: "no-store",
        credentials: "omit",
        referrerPolicy: "no-referrer",
      });
      const body = await response.json().catch(() => null);
      if (response.ok && body && typeof body === "object") return { body };
      const why = text(body?.error) ? clip(body.error) : `status ${response.status}`;
      return { words: `The sign-in service did not accept the code (${why}). Sign in again.` };
    } catch {
      return { words: "The sign-in service did not answer. Those who are signed in already can go on; try again in a moment." };
    } finally {
      clearTimeout(timer);
    }
  }

  function create(provider) {
    const tab = W.storage.tab;
    const listeners = [];
    let token = "";
    let timer = null;
    let state = { phase: "out", who: null, words: "", until: 0 };

    function become(next) {
      state = { ...state, words: "", ...next };
      for (const listener of listeners) listener(state);
    }

    function end(words) {
      token = "";
      clearTimeout(timer);
      become({ phase: "expired", words });
    }

    function expire() {
      if (state.phase !== "in") return;
      if (Date.now() < state.until) timer = setTimeout(expire, Math.min(LONGEST_MS, state.until - Date.now()));
      else end("Your sign-in has ended.");
    }

    function accept(body, pending) {
      const who = text(body.id_token) ? person(W.pkce.claims(body.id_token), pending.nonce, provider, Date.now()) : null;
      const seconds = Number(body.expires_in);
      if (!who || !text(body.access_token) || !(seconds > 0)) return become({ phase: "failed", words: STRANGE });
      token = body.access_token;
      become({ phase: "in", who, until: Date.now() + seconds * 1000 });
      expire();
    }

    async function begin(view = "") {
      const pending = { state: W.pkce.random(), nonce: W.pkce.random(), verifier: W.pkce.random(), view };
      if (!tab.keep(PENDING, pending))
        return become({ phase: "failed", words: "This browser stores nothing for this page, and a sign-in needs it. Allow storage for this address." });
      const query = new URLSearchParams({
        response_type: "code",
        client_id: provider.clientId,
        redirect_uri: provider.redirectUri,
        scope: provider.scope,
        state: pending.state,
        nonce: pending.nonce,
        code_challenge: await W.pkce.challenge(pending.verifier),
        code_challenge_method: "S256",
      });
      globalThis.location.assign(`${provider.authorizeUrl}?${query}`);
    }

    async function finish() {
      const pending = tab.recall(PENDING, isPending, null);
      const answered = new URLSearchParams(globalThis.location.search);
      const { code, words } = judge(answered, pending);
      if (!code && !words) return;
      tab.forget(PENDING);
      const own = isPending(pending) && answered.get("state") === pending.state;
      const view = own && text(pending.view) ? `#${pending.view}` : globalThis.location.hash;
      // The code must not stay in the address: a reload would send it again.
      globalThis.history.replaceState(null, "", `${globalThis.location.pathname}${view}`);
      if (words) return become({ phase: "failed", words });
      become({ phase: "returning" });
      const answer = await redeem(provider, code, pending.verifier);
      if (answer.words) become({ phase: "failed", words: answer.words });
      else accept(answer.body, pending);
    }

    function signOut() {
      token = "";
      clearTimeout(timer);
      tab.forget(PENDING);
      become({ phase: "out", who: null, until: 0 });
      const query = new URLSearchParams({ client_id: provider.clientId, logout_uri: provider.signedOutUri });
      globalThis.location.assign(provider.logoutUrl ? `${provider.logoutUrl}?${query}` : provider.signedOutUri);
    }

    function header() {
      clearTimeout(timer);
      expire(); // the timer of a computer that slept is late
      return state.phase === "in" ? { Authorization: `Bearer ${token}` } : null;
    }

    globalThis.document?.addEventListener("visibilitychange", header);
    return {
      state: () => state,
      onChange: (listener) => listeners.push(listener),
      begin,
      finish,
      header,
      refused: () => state.phase === "in" && end("The API no longer accepts your sign-in."),
      signOut,
    };
  }

  W.signin = { create, judge, person };
})((globalThis.Workshop = globalThis.Workshop || {}));
