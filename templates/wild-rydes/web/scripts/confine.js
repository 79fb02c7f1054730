/* confine.js: narrows what this page may call to the addresses of its configuration, wherever the page is served.
 * In: config.js. Out: a second Content-Security-Policy in the head; the browser applies both. Loaded right after config.js. */
(function (W) {
  "use strict";

  function origins(config) {
    const given = config && typeof config === "object" ? config : {};
    const signin = given.signin && typeof given.signin === "object" ? given.signin : {};
    const apis = given.apis && typeof given.apis === "object" ? Object.values(given.apis) : [];
    const texts = [given.name?.url, signin.token_url, ...apis.map((entry) => entry?.url)];
    const found = texts.flatMap((text) => {
      try {
        const { origin, protocol } = new URL(String(text));
        return protocol === "https:" || protocol === "http:" ? [origin] : [];
      } catch {
        return [];
      }
    });
    return [...new Set(found)];
  }

  const policy = (config) => `connect-src ${["'self'", ...origins(config)].join(" ")}`;

  function apply() {
    const meta = document.createElement("meta");
    meta.httpEquiv = "Content-Security-Policy";
    meta.content = policy(globalThis.WORKSHOP_CONFIG);
    document.head.append(meta);
  }

  W.confine = { policy };
  if (globalThis.document?.head) apply();
})((globalThis.Workshop = globalThis.Workshop || {}));
