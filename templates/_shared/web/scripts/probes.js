/* probes.js: asks every region's own /health once in two seconds while the page is seen, as a checker does.
 * In: the regions, after how many equal results to change one's mind. Out: {start, state()}: by region {ok, healthy, streak, ms,
 * status, words}; calls onResult after each probe. A failed response is a result, never an exception. */
(function (W) {
  "use strict";
  const EVERY_MS = 2000;
  const DEADLINE_MS = 4000;

  /* A checker's opinion after one more result: it changes after `threshold` results in a row that say otherwise. */
  function heard(before, ok, threshold) {
    const was = before ?? { healthy: true, streak: 0 };
    const streak = ok === was.healthy ? 0 : was.streak + 1;
    return streak >= threshold ? { healthy: ok, streak: 0 } : { healthy: was.healthy, streak };
  }

  function create(regions, threshold, onResult) {
    const found = {};

    async function turn(region) {
      if (!document.hidden) {
        const answer = await W.calls.send(region, "health", { deadline: DEADLINE_MS });
        found[region.id] = {
          ...heard(found[region.id], answer.ok, threshold),
          ok: answer.ok,
          ms: answer.ms,
          status: answer.status,
          words: answer.words,
        };
        onResult(region, answer);
      }
      setTimeout(turn, EVERY_MS, region);
    }

    return { start: () => regions.forEach(turn), state: () => found };
  }

  W.probes = { create, heard };
})((globalThis.Workshop = globalThis.Workshop || {}));
