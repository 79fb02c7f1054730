/* globalflix.js: the wall of films: which there are, how far each was watched, and which region answers. */
(function (W) {
  "use strict";
  const { make, byId, say } = W.dom;
  const { ms } = W.format;
  const backends = W.backends.list();
  const AGAIN_MS = 3000;
  let asked = 0;
  let shown = "";

  function poster(film) {
    const plate = make("span", { class: "plate" }, film.title);
    if (!film.poster) return plate;
    const image = make("img", {
      src: film.poster,
      alt: "",
      loading: "lazy",
      width: 400,
      height: 600,
      on: { error: () => image.replaceWith(plate) },
    });
    return image;
  }

  function card(film, region, watched) {
    const address = `player.html?${new URLSearchParams({ title: film.sk, region })}`;
    const share = watched !== null && watched > 0.005 && watched < 0.995 ? watched : null;
    return make(
      "li",
      {},
      make(
        "a",
        { class: "film", href: address },
        make(
          "span",
          { class: "art" },
          poster(film),
          share === null ? null : make("span", { class: "watched" }, make("span", { vars: { "--share": `${share * 100}%` } })),
        ),
        make("span", { class: "name" }, film.title),
        make("span", { class: "quiet small" }, share === null ? "" : `${Math.round(share * 100)} % watched`),
      ),
    );
  }

  /* Asked again every few seconds, the same words must not be announced again. */
  function fill(box, ...lines) {
    if (box.textContent !== lines.map((line) => line.textContent).join("")) box.replaceChildren(...lines);
  }

  function explain({ films, from, failures, remembered }, chosen) {
    const box = byId("answer");
    const wrong = failures.map((answer) => make("p", {}, `${answer.words.what} ${answer.words.next}`));
    box.className = "notice";
    box.hidden = !failures.length && films.length > 0;
    if (from && failures.length) {
      box.classList.add("warn");
      fill(
        box,
        ...wrong,
        make(
          "p",
          {},
          make("strong", {}, `The library below was read from ${from.backend.place} instead.`),
          ` ${chosen.place} stays chosen; press ${from.backend.place} above to move.`,
        ),
      );
    } else if (!from) {
      box.classList.add("bad");
      fill(
        box,
        ...wrong,
        make(
          "p",
          {},
          make(
            "strong",
            {},
            remembered
              ? "No region answers. These are the titles that this browser remembers."
              : "No region answers, so there is nothing to show. It will appear here as soon as one does.",
          ),
        ),
      );
    } else if (!films.length) {
      box.classList.add("warn");
      fill(box, make("p", {}, make("strong", {}, "The library is empty."), " Load the sample data: workshop step run data"));
    }
    say(
      byId("source"),
      from
        ? `${films.length} title${films.length === 1 ? "" : "s"} from ${from.backend.place}, ${ms(from.totalMs)}`
        : remembered
          ? `${films.length} titles from memory`
          : "",
    );
  }

  async function show(choice) {
    const mine = (asked += 1);
    const chosen = backends.find((backend) => backend.id === choice.active);
    const [library, marks] = await Promise.all([
      W.library.load(backends, choice.active),
      W.library.bookmarks(backends, choice.active),
    ]);
    if (mine !== asked) return;
    explain(library, chosen);
    const wall = library.films.map((film) => [film, choice.active, marks.get(film.key) ?? null]);
    if (JSON.stringify(wall) !== shown) byId("films").replaceChildren(...wall.map((entry) => card(...entry)));
    shown = JSON.stringify(wall); // asking again must not move the focus when nothing is new
    byId("films").setAttribute("aria-busy", "false");
    const settled = library.from && library.from.backend.id === choice.active;
    if (!settled) setTimeout(() => mine === asked && show(choice), AGAIN_MS);
  }

  byId("none").hidden = backends.length > 0;
  if (backends.length) {
    let choice = W.choice.load(backends);
    W.choice.keep(choice);
    const buttons = W.regionButtons.attach(byId("regions"), backends, (backend) => {
      choice = { active: backend.id, preferred: backend.id };
      W.choice.keep(choice);
      buttons.show(backend.id);
      show(choice);
    });
    buttons.show(choice.active);
    W.owed.settle(backends, choice.active);
    show(choice);
    globalThis.addEventListener("pageshow", (event) => event.persisted && globalThis.location.reload());
  }
})((globalThis.Workshop = globalThis.Workshop || {}));
