/* provider.js: where people sign in, and what keeps this page from it.
 * In: config.js. Out: read(config): {issuer, authorizeUrl, tokenUrl, logoutUrl, clientId, redirectUri, signedOutUri, scope}, or null
 * when something is missing; obstacle(provider, location, secure): null, or {kind: file | unset | elsewhere | insecure}.
 * Never trusts the configuration: plain http is taken for this machine alone. */
(function (W) {
  "use strict";
  const SIGNED_OUT = "signed-out.html";

  function address(text) {
    try {
      const url = new URL(String(text || ""));
      const own = url.hostname === "127.0.0.1" || url.hostname === "localhost" || url.hostname.endsWith(".localhost");
      return url.protocol === "https:" || (url.protocol === "http:" && own) ? url.href : "";
    } catch {
      return "";
    }
  }

  const words = (value) => (typeof value === "string" ? value : "");

  function read(config) {
    const given = config && typeof config === "object" && config.signin && typeof config.signin === "object" ? config.signin : {};
    const provider = {
      issuer: words(given.issuer),
      authorizeUrl: address(given.authorize_url),
      tokenUrl: address(given.token_url),
      clientId: words(given.client_id),
      redirectUri: address(given.redirect_uri),
      scope: words(given.scope),
    };
    if (Object.values(provider).some((value) => !value)) return null;
    const signedOutUri = new URL(SIGNED_OUT, provider.redirectUri).href;
    return { ...provider, logoutUrl: address(given.logout_url), signedOutUri };
  }

  function obstacle(provider, location, secure) {
    if (location.protocol === "file:") return { kind: "file" };
    if (!provider) return { kind: "unset" };
    if (new URL(provider.redirectUri).origin !== location.origin) return { kind: "elsewhere", address: provider.redirectUri };
    return secure ? null : { kind: "insecure" };
  }

  /* The same in a sentence each, with the command that helps. */
  const explain = ({ kind }) =>
    ({
      file: { what: "Sign-in cannot work in a page that was opened from a file: the provider has no address to return to.", run: "workshop open --workshop wild-rydes" },
      unset: { what: "Sign-in is not set up yet.", run: "workshop setup --workshop wild-rydes" },
      elsewhere: { what: "Sign-in returns to another address than this one. Open the page there.", run: "" },
      insecure: { what: "Sign-in needs an address that begins with https:// or is on this machine.", run: "workshop open --workshop wild-rydes" },
    })[kind];

  W.provider = { read, obstacle, explain, current: read(globalThis.WORKSHOP_CONFIG) };
})((globalThis.Workshop = globalThis.Workshop || {}));
