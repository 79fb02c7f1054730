/* library.js: fetches the library, from the chosen region or, when that one fails, from any other, or from this browser's memory.
 * In: backends and the id of the chosen one. Out: {films, from, failures, remembered}; `from` is null when no region answered. */
(function (W) {
  "use strict";
  const DEADLINE_MS = 4000;
  const HEDGE_MS = 1200;
  const MOST_REMEMBERED = 60;
  const isFilm = (f) => f && typeof f.sk === "string" && typeof f.title === "string" && typeof f.key === "string";
  const remembered = () =>
    W.storage.recall("library", (v) => Array.isArray(v) && v.every((item) => item && typeof item === "object"), []);

  /* A film that was opened once can be opened again without a region. */
  function remember(item) {
    const { sk } = W.films.fromItem(item);
    const others = remembered().filter((other) => W.films.fromItem(other).sk !== sk);
    W.storage.keep(
      "library",
      [...others, item].slice(-MOST_REMEMBERED).sort((a, b) => W.films.fromItem(a).sk.localeCompare(W.films.fromItem(b).sk)),
    );
  }

  function inOrder(backends, activeId) {
    return [...backends.filter((b) => b.id === activeId), ...backends.filter((b) => b.id !== activeId)];
  }

  /* Asks the chosen region; the next one as soon as that fails, or when it has been silent for a while. */
  function firstAnswer(backends, activeId, path) {
    const order = inOrder(backends, activeId);
    const failures = [];
    const open = new Set();
    return new Promise((resolve) => {
      let next = 0;
      let hedge = null;
      function silent() {
        return [...open].map((backend) => ({
          backend,
          words: W.failures.words("timeout", backend.place, { seconds: HEDGE_MS / 1000 }),
        }));
      }
      function ask() {
        clearTimeout(hedge);
        if (next >= order.length) {
          if (!open.size) resolve({ answer: null, failures });
          return;
        }
        const backend = order[next];
        next += 1;
        open.add(backend);
        hedge = setTimeout(ask, HEDGE_MS);
        W.api.call(backend, path, { deadline: DEADLINE_MS }).then((answer) => {
          open.delete(backend);
          if (answer.ok) {
            clearTimeout(hedge);
            resolve({ answer, failures: [...failures, ...silent()] });
          } else {
            failures.push(answer);
            ask();
          }
        });
      }
      ask();
    });
  }

  async function load(backends, activeId) {
    const { answer, failures } = await firstAnswer(backends, activeId, W.api.path("query", "library"));
    const items = answer
      ? (Array.isArray(answer.body.Items) ? answer.body.Items : []).filter((i) => i && typeof i === "object")
      : remembered();
    if (answer && items.length) W.storage.keep("library", items.slice(0, MOST_REMEMBERED));
    return { films: items.map(W.films.fromItem).filter(isFilm), from: answer, failures, remembered: !answer && items.length > 0 };
  }

  async function film(backends, activeId, sk) {
    const { answer, failures } = await firstAnswer(backends, activeId, W.api.path("get", "library", sk));
    if (answer && answer.body.Item) remember(answer.body.Item);
    const item = answer
      ? answer.body.Item
      : remembered()
          .map((i) => [W.films.fromItem(i), i])
          .filter(([f]) => f.sk === sk)
          .map(([, i]) => i)[0];
    return { film: item ? W.films.fromItem(item) : null, from: answer, failures };
  }

  async function bookmarks(backends, activeId) {
    const { answer } = await firstAnswer(backends, activeId, W.api.path("query", W.films.USER));
    const items = answer && Array.isArray(answer.body.Items) ? answer.body.Items : [];
    return new Map(
      items.filter((i) => i && typeof i === "object").map((item) => [W.films.keyOf(item), W.films.bookmarkOf(item)]),
    );
  }

  W.library = { load, film, bookmarks, firstAnswer };
})((globalThis.Workshop = globalThis.Workshop || {}));
