/* world.js: what setup deployed: the regions, their APIs, the name in front of them.
 * In: config.js. Out: {regions: [{id, place, slot, home, url, pathUrl}], name: {host, url}, policy, ttl, interval, threshold,
 * local}; figures in seconds. A url of the name that is empty means that no browser can use it.
 * Never trusts the configuration: an address that is not http(s) is left out. */
(function (W) {
  "use strict";
  const SLOTS = 6;

  function address(text) {
    try {
      const url = new URL(String(text || ""));
      if (url.protocol !== "https:" && url.protocol !== "http:") return "";
      return `${url.origin}${url.pathname.endsWith("/") ? url.pathname : `${url.pathname}/`}`;
    } catch {
      return "";
    }
  }

  const figure = (value, otherwise) => (Number(value) > 0 ? Number(value) : otherwise);

  function read(config) {
    const given = config && typeof config === "object" ? config : {};
    const apis = given.apis && typeof given.apis === "object" ? given.apis : {};
    const order = Array.isArray(given.regions) ? given.regions.filter((region) => Object.hasOwn(apis, region)) : Object.keys(apis);
    const regions = order
      .map((region) => {
        const entry = apis[region] || {};
        const url = address(entry.url || entry.path_url);
        return { id: region, url, pathUrl: address(entry.path_url) || url };
      })
      .filter(({ url }) => url)
      .map((row, index) => ({
        ...row,
        place: W.places.place(row.id),
        slot: (index % SLOTS) + 1,
        home: row.id === given.home,
      }));
    const name = given.name && typeof given.name === "object" ? given.name : {};
    return {
      regions,
      name: { host: typeof name.host === "string" ? name.host : "", url: address(name.url) },
      policy: typeof given.policy === "string" ? given.policy : "",
      ttl: figure(given.ttl, 60),
      interval: figure(given.interval, 10),
      threshold: figure(given.threshold, 3),
      local: given.target === "local",
    };
  }

  W.world = { read, current: read(globalThis.WORKSHOP_CONFIG) };
})((globalThis.Workshop = globalThis.Workshop || {}));
