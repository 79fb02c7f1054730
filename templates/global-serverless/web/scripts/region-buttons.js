/* region-buttons.js: one button per region, the active one solid. In: backends and what to do on a press. Out: {show(id)}. */
(function (W) {
  "use strict";
  const { make } = W.dom;

  function attach(box, backends, onChoose) {
    const buttons = new Map(
      backends.map((backend) => [
        backend.id,
        make(
          "button",
          {
            type: "button",
            class: `region-button slot-${backend.slot}`,
            "data-region": backend.id,
            "aria-pressed": "false",
            on: { click: () => onChoose(backend) },
          },
          backend.place,
        ),
      ]),
    );
    box.append(...buttons.values());
    return {
      show(id) {
        for (const [region, button] of buttons) button.setAttribute("aria-pressed", String(region === id));
      },
    };
  }

  W.regionButtons = { attach };
})((globalThis.Workshop = globalThis.Workshop || {}));
