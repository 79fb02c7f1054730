/* story.js: what is happening between the name and the regions, in two sentences. Pure.
 * In: facts {named, host, local, regions: [{id, place, home}], probes: {region: {healthy}}, region, trouble: {kind, status, seconds}, move:
 * {from, to, at, gap}, now, offline, bound, ttl}; times in milliseconds, bound and ttl in seconds.
 * Out: {look: calm | good | warn | bad, headline, detail}. */
(function (W) {
  "use strict";
  const RECENT_MS = 60000;

  const span = (ms) => (ms < 1000 ? "under a second" : ms < 90000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60000)} min`);
  const ill = (facts, id) => facts.probes[id]?.healthy === false;

  const CAUSES = {
    status: ({ status }) => ["fails", `It returned status ${status}.`],
    timeout: ({ seconds }) => ["does not respond", `It was silent for ${seconds} s.`],
    garbled: () => ["fails", "What it returned is not JSON."],
    network: () => ["does not respond", "The connection was refused, or broke off."],
  };

  function failing(facts, of) {
    const { named, host, regions, bound, trouble } = facts;
    const home = regions.find((region) => region.home) ?? regions[0];
    const others = regions.filter((region) => region !== home);
    if (regions.every((region) => ill(facts, region.id)))
      return { look: "bad", headline: "No region answers.", detail: "What you typed is kept; this page goes on trying." };
    const who = facts.region ? of(facts.region) : named ? host : home.place;
    const [verb, cause] = CAUSES[trouble.kind](trouble);
    const way = !others.length
      ? "There is no second region yet."
      : named
        ? `${host} leads to ${others[0].place} at most ${bound} s after ${home.place} failed.`
        : "This page moves to another region by itself.";
    return { look: "bad", headline: `${who} ${verb}.`, detail: `${cause} ${way} Nothing that you typed is lost.` };
  }

  function away(facts, of, home) {
    const { move, region, named, ttl, now } = facts;
    const gap = move && move.to === region && move.gap ? `It took ${span(move.gap)} from the first failure to the first answer.` : "";
    const same = "Your sign-in is accepted there too.";
    if (ill(facts, home.id))
      return {
        look: "warn",
        headline: `Home region ${home.place} does not respond, ${of(region)} answered instead.`,
        detail: `${gap || "No request of this page failed."} ${same}`,
      };
    if (!named) return { look: "warn", headline: `${of(region)} answers.`, detail: `${home.place} responds again; go back when you like.` };
    const back = `${home.place} passes its health check; the name leads back to it within ${ttl} s.`;
    return { look: "warn", headline: `${of(region)} answered.`, detail: move && now - move.at < RECENT_MS && gap ? `${gap} ${back}` : back };
  }

  function tell(facts) {
    const { regions, named, host, region, trouble, move, now, bound } = facts;
    const places = new Map(regions.map((each) => [each.id, each.place]));
    const of = (id) => places.get(id) ?? id;
    const home = regions.find((each) => each.home) ?? regions[0];
    if (facts.offline)
      return { look: "bad", headline: "This device is offline.", detail: "What you typed is kept; the page goes on when the network is back." };
    if (trouble) return failing(facts, of);
    if (!region) return { look: "calm", headline: "Nothing was asked yet.", detail: "" };
    if (region !== home.id) return away(facts, of, home);
    if (ill(facts, home.id))
      return {
        look: "warn",
        headline: `${home.place} fails its health check and still answered.`,
        detail: named
          ? `${host} leaves it at most ${bound} s after the failure${facts.local ? "" : "; a connection that this browser has may be used for longer"}.`
          : "",
      };
    if (move && move.to === region && now - move.at < RECENT_MS)
      return { look: "good", headline: `Home region ${home.place} answers again.`, detail: `${of(move.from)} answered in the meantime.` };
    const alone = regions.length === 1;
    const way = named ? `${host} leads to the home region.` : "This page calls the home region by its own address.";
    return { look: "good", headline: `${home.place} answered.`, detail: alone ? "It is the only region so far." : way };
  }

  W.story = { tell };
})((globalThis.Workshop = globalThis.Workshop || {}));
