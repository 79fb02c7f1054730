/* form-view.js: the form of a new ticket; what is typed is kept at each key.
 * In: what to do with a draft that is sent, and when sending is stopped. Out: {open, errors, sending, words, reset}. */
(function (W) {
  "use strict";
  const { byId, say } = W.dom;
  const { FIELDS, CHOICES } = W.ticketFields;
  const CHOSEN = Object.keys(CHOICES);

  function create({ onSend, onStop }) {
    const form = byId("form");
    const description = byId("description");
    const radios = (name) => [...form.querySelectorAll(`input[name="${name}"]`)];

    function read() {
      const chosen = CHOSEN.map((name) => [name, radios(name).find((radio) => radio.checked)?.value ?? ""]);
      return { description: description.value, ...Object.fromEntries(chosen) };
    }

    function write(draft) {
      description.value = draft.description;
      for (const name of CHOSEN) for (const radio of radios(name)) radio.checked = radio.value === draft[name];
    }

    function words(text, kind = "") {
      say(byId("form-words"), text);
      byId("form-words").dataset.kind = kind;
    }

    function errors(fields, rest = []) {
      for (const name of FIELDS) {
        say(byId(`${name}-error`), fields[name] ?? "");
        byId(`${name}-field`).classList.toggle("wrong", Boolean(fields[name]));
      }
      if (fields.description) description.setAttribute("aria-invalid", "true");
      else description.removeAttribute("aria-invalid");
      say(byId("form-error"), rest.join(" "));
      byId("form-error").hidden = rest.length === 0;
      const first = FIELDS.find((name) => fields[name]);
      if (first) (first === "description" ? description : radios(first)[0]).focus();
    }

    function sending(yes) {
      form.setAttribute("aria-busy", String(yes));
      description.readOnly = yes;
      for (const radio of CHOSEN.flatMap(radios)) radio.disabled = yes;
      for (const id of ["create", "discard"]) byId(id).disabled = yes;
      say(byId("create"), yes ? "Sending …" : "Create ticket");
      byId("stop").hidden = !yes;
    }

    function reset() {
      W.drafts.forget();
      write(W.drafts.recall());
      errors({});
    }

    form.addEventListener("input", () => {
      const kept = W.drafts.keep(read());
      words(kept ? "" : "This browser keeps nothing, so this text lasts until the page is closed.");
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (form.getAttribute("aria-busy") !== "true") onSend(read());
    });
    byId("stop").addEventListener("click", onStop);
    byId("discard").addEventListener("click", () => {
      reset();
      words("");
      description.focus();
    });
    write(W.drafts.recall());
    return { errors, sending, words, reset };
  }

  W.formView = { create };
})((globalThis.Workshop = globalThis.Workshop || {}));
