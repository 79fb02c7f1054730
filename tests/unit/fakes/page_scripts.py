"""The scripts of a page without a browser: one node for all calls of a test file.

In: script files, in the order in which a page loads them. Out: the results of their functions, which are members of
`globalThis.Workshop`. A value `{"$query": text}` is handed on as URLSearchParams, `{"$map": pairs}` as a Map.
"""

from __future__ import annotations

import atexit
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from tests.unit.fakes.node import node

__all__ = ["PageScripts"]

RUN = """
globalThis.document = { hidden: false, addEventListener() {} };
for (const script of process.argv.slice(1)) require(script);
const W = globalThis.Workshop;
const given = (key, value) => {
  if (value?.$query !== undefined) return new URLSearchParams(value.$query);
  return value?.$map ? new Map(value.$map) : value;
};
const plain = (value) => (value instanceof Map ? Object.fromEntries(value) : (value ?? null));
require("readline").createInterface({ input: process.stdin }).on("line", async (line) => {
  try {
    const calls = JSON.parse(line, given).map(([part, name, values]) => W[part][name](...values));
    console.log(JSON.stringify({ results: (await Promise.all(calls)).map(plain) }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error.stack) }));
  }
});
"""


class PageScripts:
    """Started with the first call, ended with the process of the tests."""

    def __init__(self, scripts: Sequence[Path]) -> None:
        self._scripts = list(map(str, scripts))
        self._process: subprocess.Popen[str] | None = None

    def ask(self, *calls: tuple[str, str, list[Any]]) -> list[Any]:
        """The results of calls: (part of Workshop, function, arguments)."""
        into, out = self._pipes()
        into.write(json.dumps(calls) + "\n")
        into.flush()
        answer = json.loads(out.readline() or '{"error": "node has ended"}')
        assert "error" not in answer, answer["error"]
        return list(answer["results"])

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        if self._process is None:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen([node(), "-e", RUN, *self._scripts], stdin=pipe, stdout=pipe, text=True)
            atexit.register(self._end, self._process)
        assert self._process.stdin is not None and self._process.stdout is not None
        return self._process.stdin, self._process.stdout

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> None:
        process.communicate(timeout=10)
