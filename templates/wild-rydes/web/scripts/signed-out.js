/* signed-out.js: nothing is left of the sign-in in this tab; the way in again. */
(function (W) {
  "use strict";
  const { byId } = W.dom;
  W.storage.tab.forget("signin");
  W.drafts.forget();
  const provider = W.provider.current;
  const obstacle = W.provider.obstacle(provider, globalThis.location, globalThis.isSecureContext);
  byId("sign-in").hidden = Boolean(obstacle);
  if (!obstacle) byId("sign-in").addEventListener("click", () => W.signin.create(provider).begin());
})((globalThis.Workshop = globalThis.Workshop || {}));
