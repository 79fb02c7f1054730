/* patience.js: which failures are worth another try, and after how long. Pure.
 * In: an answer of calls.js; the number of the failed try (0 is the first), a chance of 0 to 1. Out: yes or no; milliseconds. */
(function (W) {
  "use strict";
  const FIRST_MS = 500;
  const LONGEST_MS = 8000;

  /* A request that the API understood and refused stays refused; silence, and what is wrong on the API's side, may pass. */
  const worth = ({ kind, status }) =>
    kind === "network" || kind === "timeout" || kind === "garbled" || (kind === "status" && (status >= 500 || status === 429));

  /* Doubles each time; a quarter by chance, so that all pages of a room do not come back in the same moment. */
  const wait = (tries, chance) => Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(tries, 10)) * (0.75 + chance / 4);

  W.patience = { worth, wait };
})((globalThis.Workshop = globalThis.Workshop || {}));
