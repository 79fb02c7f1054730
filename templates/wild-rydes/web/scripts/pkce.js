/* pkce.js: the random words and hashes of a sign-in (RFC 7636, S256), and the content of an ID token.
 * In: nothing, a verifier, a token. Out: text in the URL's alphabet; an object of claims, or null when it is not a token. */
(function (W) {
  "use strict";
  const BYTES = 32; // 256 bits

  const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const random = () => base64url(crypto.getRandomValues(new Uint8Array(BYTES)));

  async function challenge(verifier) {
    return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
  }

  function claims(token) {
    try {
      const text = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
      const found = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))));
      return found && typeof found === "object" ? found : null;
    } catch {
      return null;
    }
  }

  W.pkce = { random, challenge, claims };
})((globalThis.Workshop = globalThis.Workshop || {}));
