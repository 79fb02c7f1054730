/* failures.js: what went wrong on the network, in words that a room can read.
 * In: the kind of failure, the place, details. Out: {brief, what, next}: a few words for a log, and one sentence each. */
(function (W) {
  "use strict";

  const config = globalThis.WORKSHOP_CONFIG;
  const onLocalCloud = Boolean(config) && config.target === "local";

  const STATUS_NEXT = {
    403: "API Gateway does not know this path. Check that the address ends in the stage, /api/",
    429: "API Gateway or the account limits the rate of calls. Wait a moment.",
    504: "The function took longer than API Gateway waits. Read the function's log.",
  };

  const WORDS = {
    network: (place) => ({
      brief: "no answer",
      what: `${place} did not answer: the connection was refused, or the answer came without CORS headers.`,
      next: onLocalCloud
        ? "Is the local cloud running? workshop cloud status"
        : "A throttled function and a deleted API look like this from a browser. See what is deployed: workshop status",
    }),
    timeout: (place, { seconds }) => ({
      brief: `silent for ${seconds} s`,
      what: `${place} did not answer within ${seconds} s.`,
      next: "The API accepts the connection and stays silent. See its log: workshop cloud logs, or CloudWatch.",
    }),
    status: (place, { status, detail }) => ({
      brief: `status ${status}`,
      what: `${place} answered with status ${status}${detail ? `: ${detail}` : ""}.`,
      next: STATUS_NEXT[status] || "The API is there and its function fails. Read the function's log.",
    }),
    failure: (place, { detail }) => ({
      brief: "the function failed",
      what: `${place} reports a failure: ${detail}`,
      next: "The function runs and its call to DynamoDB fails. Check the table: workshop status",
    }),
    garbled: (place) => ({
      brief: "not JSON",
      what: `${place} answered with something that is not JSON.`,
      next: "Is this the address of the API? It ends in /api/",
    }),
    aborted: (place) => ({ brief: "given up for a newer write", what: `The call to ${place} was given up.`, next: "" }),
  };

  const words = (kind, place, details) => WORDS[kind](place, details || {});

  W.failures = { words };
})((globalThis.Workshop = globalThis.Workshop || {}));
