/* films.js: library items and bookmarks as the pages use them.
 * In: items in DynamoDB JSON, whatever they contain. Out: {sk, title, poster, video, key} with addresses that are relative or null. */
(function (W) {
  "use strict";
  const USER = "user10";
  const textOf = (attribute) => (attribute && typeof attribute.S === "string" ? attribute.S : "");

  /* Only files beside the page are shown: no scheme, no host, no way out of the folder. */
  function beside(address) {
    const clean = address.trim();
    return clean && !/^[a-z][a-z0-9+.-]*:/i.test(clean) && !/^[\\/]/.test(clean) && !clean.split(/[\\/]/).includes("..")
      ? clean
      : null;
  }

  function fromItem(item) {
    const sk = textOf(item.SK);
    const title = textOf(item.title) || `Title ${sk}`;
    const letters = title.replace(/[^\p{L}\p{N}]+/gu, "");
    return {
      sk,
      title,
      thumb: textOf(item.thumb),
      poster: beside(textOf(item.thumb)),
      video: beside(textOf(item.video)),
      key: letters || `title-${sk}`,
    };
  }

  /* Base64 with the two letters that are safe in an address, and without padding: atob understands it after - and _ are put back. */
  function thumbText(address) {
    const bytes = new TextEncoder().encode(address || "none");
    return btoa(String.fromCharCode(...bytes))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=+$/, "");
  }

  const fraction = (text) => (/^\s*[01](\.\d+)?\s*$/.test(text) && Number(text) <= 1 ? Number(text) : null);
  const bookmarkOf = (item) => (item ? fraction(textOf(item.bookmark)) : null);
  const readPath = (film) => W.api.path("get", USER, film.key);
  const writePath = (key, value, thumb) => W.api.path("update", USER, key, value, thumb);

  W.films = { USER, fromItem, thumbText, bookmarkOf, readPath, writePath, keyOf: (item) => textOf(item.SK) };
})((globalThis.Workshop = globalThis.Workshop || {}));
