/* backends.js: which APIs there are.
 * In: config.js (setup), what was added by hand or accepted earlier, and the address bar (?api=URL, repeated), which only offers.
 * Out: a list of {id, region, place, url, pathUrl, slot, home, source}, in order, each with its own colour slot.
 * Never trusts any of the three: an address that is not http(s) is refused in words. */
(function (W) {
  "use strict";
  const SLOTS = 6;
  const MOST_OFFERED = 12;
  const config = globalThis.WORKSHOP_CONFIG && typeof globalThis.WORKSHOP_CONFIG === "object" ? globalThis.WORKSHOP_CONFIG : {};
  const setUp = config.apis && typeof config.apis === "object" ? config.apis : {};

  function parse(text) {
    const trimmed = String(text || "").trim();
    if (!trimmed) return { problem: "Paste the API's address first. It ends in /api/." };
    let url;
    try {
      url = new URL(trimmed);
    } catch {
      return { problem: `"${trimmed.slice(0, 120)}" is not a web address. An API's address starts with https:// and ends in /api/.` };
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
  // Without storage, what was accepted lives in this entry of the browser's history, which no link can fill.
  const accepted = () => (isList(globalThis.history.state?.apis) ? globalThis.history.state.apis : []);
  const added = () => [
    ...new Set(
      [...W.storage.recall("apis", isList, []), ...accepted()].map((text) => parse(text).url).filter(Boolean),
    ),
  ];

  /* What the link of this page names: addresses that are not on the page yet, to be asked about, and what is wrong with others. */
  function offered() {
    const known = list().flatMap((row) => [row.url, row.pathUrl]);
    const parsed = new URLSearchParams(globalThis.location.search).getAll("api").slice(0, MOST_OFFERED).map(parse);
    return {
      asked: [...new Set(parsed.map(({ url }) => url).filter((url) => url && !known.includes(url)))],
      problems: [...new Set(parsed.map(({ problem }) => problem).filter(Boolean))],
    };
  }

  /* Keeps addresses that a person said yes to. Answers whether the page can go on without its link. */
  function accept(urls) {
    if (W.storage.keep("apis", [...new Set([...added(), ...urls])])) return true;
    globalThis.history.replaceState({ apis: [...added(), ...urls] }, "");
    return false;
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
    for (const url of added()) {
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
    offered,
    accept,
    remove,
    link,
    table: typeof config.table === "string" ? config.table : "global-serverless",
    target: config.target,
  };
})((globalThis.Workshop = globalThis.Workshop || {}));
