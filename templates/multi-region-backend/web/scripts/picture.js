/* picture.js: puts what is known of the name into one picture, which the drawing and the lanes show. Pure: no page, no network.
 * In: the world, the feed's document or null, the page's own probes by region ({ok, streak, ms, words}), and what this browser
 * keeps ({region, seconds} or null). Out: {kind: "name" | "page", host, policy, ttl, ttlInForce, records, kept, problems}.
 * A record: {region, place, slot, share, healthy, well, check}; share is a part of 1, or null when it cannot be known; `healthy` is
 * what DNS believes of the record, `well` how the region is. A check: {watches, crossed, healthy, threshold, held, lights:
 * [{healthy, streak, label}], own}; `own` marks the page's own probe. */
(function (W) {
  "use strict";
  const HOST = /(?:^|\.)execute-api\.([a-z]{2}(?:-[a-z]+)+-\d)\./;

  const regionOf = (host) => HOST.exec(`${host}.`)?.[1] ?? "";
  const bare = (name) => String(name || "").toLowerCase().replace(/\.$/, "");

  /* The group of records that answers for the name: a CNAME, or an alias. */
  function groupOf(feed, host) {
    const groups = feed.zones.flatMap((zone) => (Array.isArray(zone.groups) ? zone.groups : []));
    return groups.find(
      (group) => bare(group.name) === bare(host) && ["CNAME", "A"].includes(group.type) && Array.isArray(group.records),
    );
  }

  function lightOf(checker) {
    const last = typeof checker.last === "string" && checker.last ? `, ${checker.last}` : "";
    return {
      healthy: checker.healthy === true,
      streak: Number(checker.streak) || 0,
      label: `${checker.region}: ${checker.healthy ? "healthy" : "unhealthy"}${last}`,
    };
  }

  function checkOf(feed, record, region) {
    const found = feed.checks.find((check) => check.id === record.health_check);
    if (!found) return null;
    const watches = regionOf(found.host);
    return {
      watches,
      crossed: Boolean(watches && region && watches !== region),
      healthy: found.healthy === true,
      threshold: Number(found.threshold) || 1,
      held: found.disabled === true ? "disabled" : found.inverted === true ? "inverted" : "",
      lights: (Array.isArray(found.checkers) ? found.checkers : []).map(lightOf),
      own: false,
    };
  }

  /* Without a feed: the page's own probe stands in for the checkers, with the threshold of the workshop. */
  function ownCheck(world, region, probe) {
    if (!probe) return null;
    const label = probe.ok ? "this page: healthy" : `this page: ${probe.words}`;
    return {
      watches: region,
      crossed: false,
      healthy: probe.healthy,
      threshold: world.threshold,
      held: "",
      lights: [{ healthy: probe.healthy, streak: probe.streak, label }],
      own: true,
    };
  }

  function fromFeed(world, feed, group) {
    const known = new Map(world.regions.map((region) => [region.id, region]));
    return group.records.map((record) => {
      const region = known.get(record.region);
      return {
        region: record.region || "",
        place: region ? region.place : record.region || record.id || "another place",
        slot: region ? region.slot : 6,
        share: typeof record.share === "number" ? record.share : null,
        healthy: record.healthy === true,
        check: checkOf(feed, record, record.region),
      };
    });
  }

  /* How a region is: by a check that watches it, else by this page's own probe. */
  function withRegions(records, probes) {
    return records.map((record) => {
      const watching = records.map(({ check }) => check).find((check) => check && !check.held && check.watches === record.region);
      const probe = probes[record.region];
      return { ...record, well: watching ? watching.healthy : !probe || probe.healthy };
    });
  }

  function fromProbes(world, probes) {
    return world.regions.map(({ id, place, slot }) => {
      const check = ownCheck(world, id, probes[id]);
      return { region: id, place, slot, share: null, healthy: check ? check.healthy : true, check };
    });
  }

  function problemsOf(records) {
    const found = [];
    const place = (region) => records.find((record) => record.region === region)?.place ?? region;
    for (const { check, ...record } of records) {
      if (check && check.crossed)
        found.push(`The record of ${record.place} carries a health check that watches ${place(check.watches)}.`);
      if (!check) found.push(`The record of ${record.place} has no health check: it is never withdrawn.`);
    }
    if (records.length > 1 && records.every((record) => !record.healthy))
      found.push("No record is healthy, so all of them are answered as if they were.");
    return found;
  }

  function make({ world, feed, probes, kept }) {
    const group = feed && world.name.host ? groupOf(feed, world.name.host) : undefined;
    const records = withRegions(group ? fromFeed(world, feed, group) : fromProbes(world, probes), probes);
    const ttl = group ? Number(group.records[0]?.ttl) || world.ttl : world.ttl;
    return {
      kind: world.name.url ? "name" : "page",
      host: world.name.host,
      policy: group ? group.policy : world.policy,
      ttl,
      ttlInForce: feed && typeof feed.clock === "number" ? ttl * feed.clock : ttl,
      records,
      kept,
      problems: group ? problemsOf(records) : [],
    };
  }

  W.picture = { make, regionOf };
})((globalThis.Workshop = globalThis.Workshop || {}));
