/* drafts.js: the ticket that is being typed, kept in this tab until it is created or its author signs out.
 * In: a draft {description, assigned, priority, status}. Out: the same. It survives a reload, the way to the provider and back, and
 * the end of a sign-in. */
(function (W) {
  "use strict";
  const KEY = "draft";
  const { tab } = W.storage;
  const BLANK = Object.freeze({ description: "", assigned: "juan", priority: "medium", status: "open" });
  const isDraft = (value) => Boolean(value) && Object.keys(BLANK).every((name) => typeof value[name] === "string");

  const recall = () => ({ ...BLANK, ...tab.recall(KEY, isDraft, {}) });
  const keep = (draft) => tab.keep(KEY, draft);
  const forget = () => tab.forget(KEY);
  const begun = (draft) => draft.description.trim() !== "";

  W.drafts = { recall, keep, forget, begun, BLANK };
})((globalThis.Workshop = globalThis.Workshop || {}));
