/* offer.js: asks before an API that a link names is called or kept.
 * In: what backends.js found in the address bar. Out: a question on the page; nothing is called before the answer is yes.
 * Anyone can make a link: the person who opens it sees whom the page would call, and says so. */
(function (W) {
  "use strict";
  const { byId, make, say } = W.dom;

  function entry(address) {
    const { host, pathname, protocol } = new URL(address);
    return make("li", null, make("strong", null, host), make("code", { class: "quiet small" }, `${protocol}//${host}${pathname}`));
  }

  function attach({ done }) {
    const { asked, problems } = W.backends.offered();
    if (problems.length) say(byId("add-answer"), `Left out of this link: ${problems.join(" ")}`);
    if (!asked.length) return false;
    const many = asked.length > 1;
    say(byId("offer-title"), many ? `Add the ${asked.length} APIs of this link?` : "Add the API of this link?");
    byId("offer-list").replaceChildren(...asked.map(entry));
    const it = many ? "them" : "it";
    const why = `This page would call ${it} every second and keep ${it} in this browser.`;
    say(byId("offer-why"), `${why} Add ${it} only when you trust who gave you the link.`);
    say(byId("offer-yes"), many ? `Add all ${asked.length}` : "Add it");
    say(byId("offer-no"), `Leave ${it} out`);
    byId("offer-yes").addEventListener("click", () => done(W.backends.accept(asked)));
    byId("offer-no").addEventListener("click", () => done(true));
    byId("offer").hidden = false;
    say(byId("spoken"), `${byId("offer-title").textContent} ${asked.map((address) => new URL(address).host).join(", ")}`);
    return true;
  }

  W.offer = { attach };
})((globalThis.Workshop = globalThis.Workshop || {}));
