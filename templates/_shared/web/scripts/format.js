/* format.js: numbers and times as people read them. */
(function (W) {
  "use strict";
  const ms = (value) =>
    value === null || value === undefined ? "–" : value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(2)} s`;
  const seconds = (value) => `${(value / 1000).toFixed(1)} s`;
  const ago = (value) =>
    value < 950 ? "just now" : value < 60000 ? `${Math.round(value / 1000)} s ago` : `${Math.round(value / 60000)} min ago`;
  const signed = (value) => (value > 0 ? `+${value}` : value < 0 ? `−${-value}` : "0");
  const number = (value) => (value === null || value === undefined ? "no number" : value < 0 ? `−${-value}` : String(value));
  const two = (value) => String(value).padStart(2, "0");
  const clock = (date) =>
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${Math.floor(date.getMilliseconds() / 100)}`;
  const percent = (fraction) => `${(fraction * 100).toFixed(1)} %`;

  W.format = { ms, seconds, ago, signed, number, clock, percent };
})((globalThis.Workshop = globalThis.Workshop || {}));
