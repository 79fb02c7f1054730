/* availability.js: the arithmetic of parts in series and copies in parallel. Pure.
 * In: {part: a part of 1, parts, copies, shared: a part of 1, failures: a year, failover: minutes, people: a part of 1}.
 * Out: the rows that the page shows, each {id, availability, minutes}: minutes of downtime in a year of 525,600. */
(function (W) {
  "use strict";
  const YEAR = 525600;

  const ofNines = (nines) => 1 - 10 ** -nines;
  const series = (part, parts) => part ** parts;
  const parallel = (one, copies) => 1 - (1 - one) ** copies;
  const minutes = (availability) => (1 - availability) * YEAR;

  function rows({ part, parts, copies, shared, failures, failover, people }) {
    const region = series(part, parts);
    const apart = parallel(region, copies);
    const together = shared * apart;
    const lost = copies > 1 ? failures * failover * people : 0;
    const found = [
      { id: "part", availability: part },
      { id: "region", availability: region },
      { id: "apart", availability: apart },
      { id: "together", availability: together },
      { id: "failover", availability: Math.max(0, together - lost / YEAR) },
    ];
    return found.map((row) => ({ ...row, minutes: minutes(row.availability) }));
  }

  /* 0.9801 as 98.01 %: as many digits as show the first two that are not nine, never fewer than two. */
  function percent(availability) {
    const miss = 1 - availability;
    if (miss < 1e-12) return "100 %";
    const digits = Math.min(10, Math.max(2, Math.ceil(-Math.log10(miss))));
    const cut = Math.floor(availability * 100 * 10 ** digits + 1e-6) / 10 ** digits;
    return `${cut.toFixed(digits).replace(/0+$/, "").replace(/\.$/, "")} %`;
  }

  function time(value) {
    if (value < 1 / 60) return value < 1e-6 ? "nothing" : "under a second";
    if (value < 2) return `${Math.round(value * 60)} seconds`;
    if (value < 100) return `${value.toFixed(1)} minutes`;
    if (value < 48 * 60) return `${(value / 60).toFixed(1)} hours`;
    return `${(value / 1440).toFixed(1)} days`;
  }

  /* How long a failover lasts here at most, in minutes: detection, and the kept answers. */
  const bound = ({ interval, threshold, ttl }) => (interval * threshold + interval + ttl) / 60;

  W.availability = { YEAR, ofNines, series, parallel, minutes, rows, percent, time, bound };
})((globalThis.Workshop = globalThis.Workshop || {}));
