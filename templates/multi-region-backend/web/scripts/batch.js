/* batch.js: posts many items and sums up which region took them.
 * In: how many, how many at once, a function that sends one. Out: run(), which resolves to the tally; tally() of answers; words. */
(function (W) {
  "use strict";
  const Z = 3.29; // 99.9 % of what chance does lies within so many standard deviations

  function tally(answers) {
    const counts = new Map();
    for (const answer of answers.filter(({ ok }) => ok)) counts.set(answer.region, (counts.get(answer.region) ?? 0) + 1);
    return { counts, sent: answers.length, failed: answers.filter(({ ok }) => !ok).length };
  }

  /* From how many to how many of `n` items chance gives a region with this share, 999 times in 1,000. */
  function band(n, share) {
    const spread = Z * Math.sqrt(n * share * (1 - share));
    return [Math.max(0, Math.ceil(n * share - spread)), Math.min(n, Math.floor(n * share + spread))];
  }

  async function run(count, atOnce, send, onAnswer) {
    const answers = [];
    let next = 0;
    async function worker() {
      while (next < count) {
        const index = next;
        next += 1;
        const answer = await send(index);
        answers.push(answer);
        onAnswer(answer, index);
      }
    }
    await Promise.all(Array.from({ length: atOnce }, worker));
    return answers;
  }

  /* A sentence about what happened, for people: `apart` is whether every item had a resolver of its own. */
  function words({ answers, places, shares, apart, named, seconds }) {
    const { counts, sent, failed } = tally(answers);
    const order = [...new Set([...places.keys(), ...counts.keys()])].filter((region) => counts.has(region));
    const each = order.map((region) => `${counts.get(region)} to ${places.get(region) ?? region}`);
    if (!each.length) return `None of ${sent} was taken.`;
    const lost = failed ? ` ${failed} failed.` : "";
    const head = `${each.join(", ")} in ${seconds.toFixed(1)} s.${lost}`;
    if (!named) return `${head} Without a name this page sends everything to one region, and to another when that one fails.`;
    const asked = answers.filter(({ source }) => source === "asked").length;
    if (apart) {
      const first = order.find((region) => shares.get(region) > 0 && shares.get(region) < 1);
      if (!first) return `${head} Every item had a resolver of its own, and all of them were given the same answer.`;
      const [least, most] = band(sent, shares.get(first));
      return `${head} Every item had a resolver of its own. By chance ${places.get(first)} gets between ${least} and ${most} of ${sent}.`;
    }
    if (counts.size === 1) {
      const often = asked ? `asked ${asked === 1 ? "once" : `${asked} times`} and ` : "";
      const split = [...shares.values()].some((share) => share > 0 && share < 1);
      const lesson = split ? " The shares even out over many people, not over many requests." : "";
      return `${head} One browser is one resolver: it ${often}kept the answer for its TTL.${lesson}`;
    }
    return `${head} The answer changed while the items were sent, when its TTL ended.`;
  }

  W.batch = { run, tally, band, words };
})((globalThis.Workshop = globalThis.Workshop || {}));
