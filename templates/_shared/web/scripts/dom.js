/* dom.js: makes elements out of plain values.
 * In: a tag name, attributes, children (text or nodes). Out: nodes.
 * Never reads text as markup: whatever an item's title contains is shown as written. */
(function (W) {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";

  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
      else if (name === "vars") for (const [key, v] of Object.entries(value)) node.style.setProperty(key, v);
      else node.setAttribute(name, value === true ? "" : String(value));
    }
    node.append(
      ...children
        .flat()
        .filter((child) => child !== null && child !== undefined && child !== false)
        .map((child) => (child instanceof Node ? child : document.createTextNode(String(child)))),
    );
    return node;
  }

  const make = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const draw = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
  const byId = (id) => document.getElementById(id);

  function say(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  W.dom = { make, draw, byId, say };
})((globalThis.Workshop = globalThis.Workshop || {}));
