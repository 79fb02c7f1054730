/* reach.js: requests through the name that are tried again until the API answers, and what is known about who answers.
 * In: the world, what to call when something changes. Out: {send, wake, state(), target}.
 *   send(path, {method, body, headers(), once, before, signal}): an answer of calls.js. `headers()` is called for each try and may
 *     return null: the answer is then {kind: "signed-out"}. `once` tries a single time. `before` is awaited ahead of each further
 *     try and may return an answer to be taken instead, or one that failed, which counts as the try.
 *   state(): {region, last, trouble, move}: the region and the answer that came last; the failure that is being tried again {since,
 *     tries, nextAt, kind, status, seconds}; the last change of region {from, to, at, gap}. Times are on the clock of performance.now(). */
(function (W) {
  "use strict";
  const DEADLINE_MS = 8000;

  function create(world, onChange) {
    const target = W.target.create(world, () => onChange(null));
    const sleepers = new Set();
    let state = { region: "", last: null, trouble: null, move: null };

    function note(answer) {
      const { region } = answer;
      const served = answer.kind === "ok" || (answer.kind === "status" && !W.patience.worth(answer));
      if (target.phase() !== "named") target.heard(answer.target.id, served);
      if (served) {
        const moved = region && state.region && region !== state.region;
        const gap = state.trouble ? answer.at - state.trouble.since : 0;
        state = {
          region: region || state.region,
          last: answer,
          trouble: null,
          move: moved ? { from: state.region, to: region, at: answer.at, gap } : state.move,
        };
      } else {
        const before = state.trouble ?? { since: answer.at - answer.ms, tries: 0, nextAt: null };
        const { kind, status } = answer;
        state = { ...state, trouble: { ...before, tries: before.tries + 1, kind, status, seconds: DEADLINE_MS / 1000 } };
      }
      onChange(answer);
    }

    function sleep(ms, signal) {
      const nextAt = performance.now() + ms;
      if (state.trouble) state = { ...state, trouble: { ...state.trouble, nextAt } };
      onChange(null);
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          sleepers.delete(done);
          signal?.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, ms);
        sleepers.add(done);
        signal?.addEventListener("abort", done);
      });
    }

    async function attempt(path, { method, body, headers }) {
      const given = headers ? headers() : {};
      if (given === null) return { ok: false, kind: "signed-out", status: null, body: null, words: "", region: "" };
      const found = await W.calls.send(target.now(), path, { method, body, headers: given, deadline: DEADLINE_MS });
      const answer = { ...found, method: method ?? "GET", path };
      note(answer);
      return answer;
    }

    async function send(path, options = {}) {
      for (let tries = 0; ; tries += 1) {
        const found = tries && options.before ? await options.before() : null;
        const answer = found ?? (await attempt(path, options));
        if (answer.kind === "signed-out" || !W.patience.worth(answer) || options.once) return answer;
        await sleep(W.patience.wait(tries, Math.random()), options.signal);
        if (options.signal?.aborted) return answer;
      }
    }

    const wake = () => [...sleepers].forEach((done) => done());

    globalThis.addEventListener("online", wake);
    return { send, wake, state: () => state, target };
  }

  W.reach = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
