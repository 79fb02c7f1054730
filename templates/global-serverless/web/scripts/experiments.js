/* experiments.js: the two experiments with a global table, as plain sequences of calls.
 * In: tools {read, change, now, wait} and two backends. Out: a record {kind, outcome, words, events, final, lag}.
 * Times are milliseconds of tools.now. Knows no page, so that it runs without a browser. */
(function (W) {
  "use strict";
  const { ms, number } = W.format;
  const POLL_MS = 100;
  const LEVEL_MS = 8000;
  const REPLICATION_MS = 30000;

  function journal(tools) {
    const events = [];
    async function keep(what, call) {
      const answer = await call;
      events.push({
        what,
        id: answer.backend.id,
        ok: answer.ok,
        by: answer.by ?? null,
        value: answer.value,
        sentAt: answer.sentAt,
        at: answer.answeredAt,
      });
      if (!answer.ok) throw answer.words;
      if (answer.value === null)
        throw {
          what: `${answer.backend.place} has no number in its item user100 / AshlandValley.`,
          next: "Load the data again: workshop setup",
        };
      return answer;
    }
    return {
      events,
      read: (backend) => keep("read", tools.read(backend)),
      change: (backend, by) => keep("write", tools.change(backend, by)),
    };
  }

  async function level(log, tools, a, b) {
    const end = tools.now() + LEVEL_MS;
    for (;;) {
      const [one, two] = await Promise.all([log.read(a), log.read(b)]);
      if (one.value === two.value) return one.value;
      if (tools.now() > end)
        throw {
          what: `${a.place} answers ${number(one.value)} and ${b.place} ${number(two.value)}, and they do not come together.`,
          next: "Is the replica there? workshop status",
        };
      await tools.wait(POLL_MS);
    }
  }

  async function guarded(kind, tools, body) {
    const log = journal(tools);
    try {
      return { kind, events: log.events, final: null, lag: null, ...(await body(log)) };
    } catch (problem) {
      if (!problem || typeof problem.what !== "string") throw problem;
      return {
        kind,
        events: log.events,
        outcome: "failed",
        final: null,
        lag: null,
        words: `${problem.what} The experiment stopped here. ${problem.next}`,
      };
    }
  }

  const replication = (tools, a, b) =>
    guarded("replication", tools, async (log) => {
      await level(log, tools, a, b);
      const write = await log.change(a, 1);
      let read = await log.read(b);
      const first = read;
      let lastStale = null;
      while (read.value !== write.value && read.answeredAt - write.answeredAt < REPLICATION_MS) {
        lastStale = read;
        await tools.wait(POLL_MS);
        read = await log.read(b);
      }
      const wrote = `${a.place} wrote ${number(write.value)}.`;
      if (read.value !== write.value) {
        return {
          outcome: "never",
          words:
            `${wrote} ${ms(REPLICATION_MS)} later ${b.place} still answers ${number(read.value)}. ` +
            "Either replication has stopped, or another client is writing to the same counter.",
        };
      }
      const most = read.answeredAt - write.answeredAt;
      const lag = { least: lastStale ? Math.max(0, lastStale.sentAt - write.answeredAt) : 0, most };
      if (!lastStale) {
        return {
          outcome: "at-once",
          final: write.value,
          lag,
          words:
            `${wrote} ${b.place} already answered ${number(write.value)} at the first read, ${ms(most)} later. ` +
            "Replication was quicker than the question: no stale read this time.",
        };
      }
      return {
        outcome: "stale",
        final: write.value,
        lag,
        words:
          `${wrote} ${ms(first.answeredAt - write.answeredAt)} later ${b.place} still answered ${number(first.value)}: a stale read. ` +
          `${ms(most)} after the write it answered ${number(write.value)} as well. Nothing was written in between; replication caught up.`,
      };
    });

  async function converge(log, tools, a, b) {
    const end = tools.now() + REPLICATION_MS;
    for (;;) {
      const [one, two] = await Promise.all([log.read(a), log.read(b)]);
      if (one.value === two.value) return { value: one.value, at: Math.max(one.answeredAt, two.answeredAt) };
      if (tools.now() > end) return null;
      await tools.wait(POLL_MS);
    }
  }

  function verdict({ a, b, start, plus, minus, end, gap }) {
    const told = `${a.place} counted ${number(start)} up to ${number(plus.value)} and said so. ${ms(gap)} later`;
    if (minus.value !== start - 1) {
      return {
        outcome: "no-conflict",
        words:
          `${told} ${b.place} had already heard of it and counted down to ${number(minus.value)}. Replication was quicker than ` +
          "the second write, so nothing collided. Try again, or give the local cloud a longer lag.",
      };
    }
    const blind = `${told} ${b.place}, which had not heard of it, counted ${number(start)} down to ${number(minus.value)}.`;
    if (!end)
      return {
        outcome: "never",
        words: `${blind} The two have not come together since. Either replication has stopped, or another client is writing.`,
      };
    if (end.value !== plus.value && end.value !== minus.value) {
      return {
        outcome: "disturbed",
        words: `${blind} Both now answer ${number(end.value)}, which neither wrote: another client is writing to the same counter.`,
      };
    }
    const [winner, loser] = end.value === minus.value ? [b, a] : [a, b];
    return {
      outcome: "conflict",
      winner: winner.id,
      words:
        `${blind} Both regions now answer ${number(end.value)}: ${winner.place} wrote last, and the last writer wins. ` +
        `The write of ${loser.place} was acknowledged and is gone; a counter that counts would say ${number(start)}.`,
    };
  }

  const conflict = (tools, a, b) =>
    guarded("conflict", tools, async (log) => {
      const start = await level(log, tools, a, b);
      const plus = await log.change(a, 1);
      const minus = await log.change(b, -1);
      const end = await converge(log, tools, a, b);
      const gap = minus.answeredAt - plus.answeredAt;
      return {
        final: end && end.value,
        lag: end && { least: 0, most: end.at - minus.answeredAt },
        ...verdict({ a, b, start, plus, minus, end, gap }),
      };
    });

  W.experiments = { replication, conflict };
})((globalThis.Workshop = globalThis.Workshop || {}));
