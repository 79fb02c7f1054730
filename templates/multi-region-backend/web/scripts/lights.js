/* lights.js: the checkers of a health check as lights: a disc is healthy, a cross is not, a hollow disc is about to change its mind.
 * In: lights {healthy, streak, label} and the threshold. Out: a list node. */
(function (W) {
  "use strict";
  const { make } = W.dom;

  function one({ healthy, streak, label }, threshold) {
    const doubt = streak ? `, ${streak} of ${threshold} results say otherwise` : "";
    return make(
      "li",
      { class: `lamp ${healthy ? "good" : "bad"}${streak ? " doubting" : ""}`, title: `${label}${doubt}` },
      make("span", { class: "unseen" }, `${label}${doubt}`),
    );
  }

  const list = (lights, threshold) => make("ul", { class: "lamps" }, ...lights.map((light) => one(light, threshold)));

  W.lights = { list };
})((globalThis.Workshop = globalThis.Workshop || {}));
