/* backends.js: which APIs there are.
 * In: config.js (setup), the address bar (?api=URL, repeated), and what was added by hand earlier.
 * Out: a list of {id, region, place, url, pathUrl, slot, home, source}, in order, each with its own colour slot.
 * Never trusts any of the three: an address that is not http(s) is refused in words. */
(function (W) {
  "use strict";
  const SLOTS = 6;
  const config = globalThis.WORKSHOP_CONFIG && typeof globalThis.WORKSHOP_CONFIG === "object" ? globalThis.WORKSHOP_CONFIG : {};
  const setUp = config.apis && typeof config.apis === "object" ? config.apis : {};

  function parse(text) {
    const trimmed = String(text || "").trim();
    if (!trimmed) return { problem: "Paste the API's address first. It ends in /api/." };
    let url;
    try {
      url = new URL(trimmed);
    } catch {
      return { problem: `"${trimmed}" is not a web address. An API's address starts with https:// and ends in /api/.` };
    }
    if (url.protocol !== "https:" && url.protocol !== "http:") return { problem: "Only http and https addresses can be called." };
    const path = url.pathname.endsWith("/") ? url.pathname : `${url.pathname}/`;
    return { url: `${url.origin}${path}` };
  }

  function regionOf(url) {
    const found = /execute-api\.([a-z]{2}(?:-[a-z]+)+-\d)\./.exec(new URL(url).hostname);
    return found ? found[1] : new URL(url).host;
  }

  const isList = (value) => Array.isArray(value) && value.every((entry) => typeof entry === "string");
  const added = () =>
    W.storage
      .recall("apis", isList, [])
      .map((text) => parse(text).url)
      .filter(Boolean);

  function takeFromLink() {
    const known = added();
    for (const text of new URLSearchParams(globalThis.location.search).getAll("api")) {
      const { url } = parse(text);
      if (url && !known.includes(url)) known.push(url);
    }
    if (known.length) W.storage.keep("apis", known);
    return known;
  }

  function list() {
    const rows = [];
    const order = Array.isArray(config.regions) ? config.regions : [];
    const regions = [...order.filter((r) => Object.hasOwn(setUp, r)), ...Object.keys(setUp).filter((r) => !order.includes(r))];
    for (const region of regions) {
      const entry = setUp[region] || {};
      const { url } = parse(entry.url || entry.path_url);
      if (url) rows.push({ region, url, pathUrl: parse(entry.path_url).url || url, source: "setup" });
    }
    for (const url of takeFromLink()) {
      if (!rows.some((row) => row.url === url || row.pathUrl === url))
        rows.push({ region: regionOf(url), url, pathUrl: url, source: "hand" });
    }
    return rows.map((row, index) => {
      const before = rows.slice(0, index).filter((other) => other.region === row.region).length;
      return {
        ...row,
        id: before ? `${row.region}#${before + 1}` : row.region,
        place: before ? `${W.places.place(row.region)} (${before + 1})` : W.places.place(row.region),
        slot: (index % SLOTS) + 1,
        home: row.source === "setup" && row.region === config.home,
      };
    });
  }

  function add(text) {
    const parsed = parse(text);
    if (parsed.problem) return parsed;
    if (list().some((row) => row.url === parsed.url || row.pathUrl === parsed.url))
      return { problem: "That API is on the page already." };
    const kept = W.storage.keep("apis", [...added(), parsed.url]);
    return kept
      ? parsed
      : { problem: "This browser keeps nothing (its storage is off or full). Use a link with ?api=ADDRESS instead." };
  }

  const remove = (url) =>
    W.storage.keep(
      "apis",
      added().filter((other) => other !== url),
    );

  function link(rows) {
    const address = new URL(globalThis.location.href);
    address.search = "";
    address.hash = "";
    for (const row of rows) address.searchParams.append("api", row.url);
    return address.href;
  }

  W.backends = {
    list,
    add,
    remove,
    link,
    table: typeof config.table === "string" ? config.table : "global-serverless",
    target: config.target,
  };
})((globalThis.Workshop = globalThis.Workshop || {}));
