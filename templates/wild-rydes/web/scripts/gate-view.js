/* gate-view.js: what the page shows of the sign-in: who, the way in, the way out, and what went wrong.
 * In: the state of signin.js, an obstacle of provider.js. Out: {show}. */
(function (W) {
  "use strict";
  const { make, byId, say } = W.dom;

  function obstacleNodes(obstacle) {
    const { what, run } = W.provider.explain(obstacle);
    return [
      make("strong", {}, what),
      run ? make("span", {}, " Run ", make("code", {}, run)) : null,
      obstacle.address ? make("a", { href: obstacle.address }, obstacle.address) : null,
    ].filter(Boolean);
  }

  function create({ obstacle, onIn, onOut }) {
    for (const button of document.querySelectorAll("[data-action=sign-in]")) button.addEventListener("click", onIn);
    byId("sign-out").addEventListener("click", onOut);
    byId("gate-obstacle").hidden = !obstacle;
    if (obstacle) byId("gate-obstacle").replaceChildren(...obstacleNodes(obstacle));

    function show({ phase, who, words }) {
      const inside = phase === "in" || phase === "expired";
      byId("gate").hidden = inside;
      byId("desk").hidden = !inside;
      byId("account").hidden = !inside;
      say(byId("who"), who ? who.name : "");
      byId("who").title = who ? who.name : "";
      byId("gate-in").hidden = Boolean(obstacle) || phase === "returning";
      byId("gate-busy").hidden = phase !== "returning";
      byId("gate-kept").hidden = !W.drafts.begun(W.drafts.recall());
      byId("notice").hidden = phase !== "failed" && phase !== "expired";
      say(byId("notice-words"), words);
      byId("notice").className = `notice ${phase === "failed" ? "bad" : "warn"}`;
      byId("notice-in").hidden = phase !== "expired";
      byId("notice-kept").hidden = phase !== "expired";
    }

    return { show };
  }

  W.gateView = { create, obstacleNodes };
})((globalThis.Workshop = globalThis.Workshop || {}));
