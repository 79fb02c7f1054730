/* readers.js: reads the bookmark from every region's own API, for ever. Each read is a round trip to that region's table, so it also
 * tells whether the region is well. In: settings, backends, a path. Out: onAnswer(backend, answer) for each read. */
(function (W) {
  "use strict";

  function start(settings, backends, path, onAnswer) {
    async function turn(backend) {
      const answer = await W.api.call(backend, path, { deadline: settings.probeTimeoutMs });
      onAnswer(backend, answer);
      setTimeout(turn, answer.ok ? settings.readEveryMs : settings.probeEveryMs, backend);
    }
    for (const backend of backends) turn(backend);
  }

  W.readers = { start };
})((globalThis.Workshop = globalThis.Workshop || {}));
