/* theme.js: light or dark, as the system is set until the user chooses with the header's button.
 * Loaded in the head, so that the page is painted once, in the right colours. */
(function (W) {
  "use strict";
  const root = document.documentElement;
  const dark = globalThis.matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => W.storage.recall("theme", (v) => v === "light" || v === "dark", null);
  const shown = () => chosen() || (dark.matches ? "dark" : "light");

  function paint() {
    if (chosen()) root.dataset.theme = chosen();
    const button = document.getElementById("theme");
    if (!button) return;
    button.textContent = shown() === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to ${shown() === "dark" ? "light" : "dark"} colours`);
  }

  paint();
  dark.addEventListener("change", paint);
  document.addEventListener("DOMContentLoaded", () => {
    paint();
    const button = document.getElementById("theme");
    if (button)
      button.addEventListener("click", () => {
        const next = shown() === "dark" ? "light" : "dark";
        W.storage.keep("theme", next);
        root.dataset.theme = next;
        paint();
      });
  });
})((globalThis.Workshop = globalThis.Workshop || {}));
