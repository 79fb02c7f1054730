"""The requests of a load and the items that they leave, as the `drill:` block of a definition describes them. Pure.

In: the block, the variables of the plan, the id of a run. Out: what to send for each write, read and look at the health, and the
key under which a write's item is found again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workshop.definition.drill_model import LoadSpec
from workshop.definition.renderer import Renderer
from workshop.definition.templating import render_value
from workshop.errors import DefinitionError

__all__ = ["ApiCall", "LoadRequests", "Row"]

RESPONSE = "response"


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request below the address of an API; `body` is sent as JSON, `token`: with the access token of the load."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    token: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """An item of a load: its key, and what it holds beside it. All values are texts."""

    key: Mapping[str, str]
    holds: Mapping[str, str]


class LoadRequests:
    """The load of one run. `plan` are the variables that are known before the first step; raises `DefinitionError`."""

    def __init__(self, spec: LoadSpec, plan: Mapping[str, Any], run: str) -> None:
        self._spec, self._plan, self._run = spec, plan, run
        self.chooses_ids = RESPONSE not in Renderer(_no_files).variables_of(spec.write.id, "drill.write.id")
        """Whether the load chooses the ids; else the API does."""
        self.table: str = self._filled(spec.rows.table, {}, "rows", "table")
        self.health: ApiCall | None = None
        if spec.health is not None:
            self.health = ApiCall(spec.health.method, self._filled(spec.health.path, {}, "health", "path"))
        self.partition = self._common_partition()
        """The partition key that all items of the run share, by attribute; empty when each has one of its own."""

    @property
    def name(self) -> str:
        """What the items of the run are called."""
        return f"drill-{self._run}"

    @property
    def routes(self) -> tuple[tuple[str, str], ...]:
        """A method and a path for each route that the load needs."""
        calls = (self.write(1, "1.000", ""), self.read(self._sample(1), ""), *([self.health] if self.health else []))
        return tuple((call.method, call.path) for call in calls)

    @property
    def needs_tokens(self) -> bool:
        """Whether some request of the load carries an access token."""
        return bool(self._spec.write.token or self._spec.read.token)

    @property
    def token_routes(self) -> tuple[tuple[str, str], ...]:
        """Those of `routes` whose requests do."""
        calls = (self.write(1, "1.000", ""), self.read(self._sample(1), ""))
        return tuple((call.method, call.path) for call in calls if call.token)

    @property
    def key_attributes(self) -> tuple[str, ...]:
        """The attributes of the table's key, the partition key first."""
        return tuple(self._spec.rows.key)

    @property
    def marks(self) -> dict[str, str]:
        """Where the API chooses the ids: what attributes contain in every item of the run and in no other."""
        ours = {name for name, text in self._spec.rows.holds.items() if "run" in _variables(text)}
        return {} if self.chooses_ids else dict.fromkeys(sorted(ours), self._run)

    def write(self, number: int, value: str, region: str) -> ApiCall:
        """The request that stores the item of a write; without a region it is for a name, and the templates see home."""
        known: dict[str, Any] = {"n": number, "value": value, "region": region or self._plan["home"]}
        if self.chooses_ids:
            known["id"] = self.id_of(number, value)
        spec = self._spec.write
        path, body = self._filled(spec.path, known, "write", "path"), self._filled(spec.body, known, "write", "body")
        return ApiCall(spec.method, path, None if spec.method == "GET" else body, bool(spec.token))

    def id_of(self, number: int, value: str, response: Mapping[str, Any] | None = None) -> str:
        """The id of a write's item; of the `response` where the API chooses it, and then empty when that has none."""
        known: dict[str, Any] = {"n": number, "value": value}
        if self.chooses_ids:
            return str(self._filled(self._spec.write.id, known, "write", "id"))
        try:
            return str(self._filled(self._spec.write.id, {**known, RESPONSE: response or {}}, "write", "id"))
        except DefinitionError:
            return ""

    def read(self, item: str, region: str) -> ApiCall:
        """The request that reads an item by its id."""
        path = self._filled(self._spec.read.path, {"id": item, "region": region or self._plan["home"]}, "read", "path")
        return ApiCall(self._spec.read.method, path, token=bool(self._spec.read.token))

    def row(self, number: int, value: str, item: str) -> Row:
        """The item that a write leaves."""
        known = {"n": number, "value": value, "id": item}
        key = self._filled(dict(self._spec.rows.key), known, "rows", "key")
        return Row(key, self._filled(dict(self._spec.rows.holds), known, "rows", "holds"))

    def region_of(self, body: Mapping[str, Any] | None) -> str:
        """The region that a response of the health route names; empty when it names none."""
        return _member(body, self._spec.health.region) if self._spec.health is not None else ""

    @property
    def shows_values(self) -> bool:
        """Whether a response shows what was stored."""
        return bool(self._spec.read.value) and self.chooses_ids

    def value_of(self, body: Mapping[str, Any] | None) -> str:
        """What a response shows as stored; empty when it shows nothing."""
        return _member(body, self._spec.read.value)

    def _common_partition(self) -> dict[str, str]:
        first, second = (self.row(number, f"{number}.000", self._sample(number)).key for number in (1, 2))
        name = self.key_attributes[0]
        return {name: first[name]} if first[name] == second[name] else {}

    def _sample(self, number: int) -> str:
        return self.id_of(number, f"{number}.000") if self.chooses_ids else f"{RESPONSE}-{number}"

    def _filled(self, value: Any, known: Mapping[str, Any], *field: str) -> Any:
        variables = {**self._plan, "run": self._run, "region": self._plan["home"], **known}
        return render_value(self._spec, value, variables, *field)


def _member(body: Mapping[str, Any] | None, path: str) -> str:
    found: Any = body
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""


def _variables(text: str) -> frozenset[str]:
    return Renderer(_no_files).variables_of(text, "drill.rows.holds")


def _no_files(name: str) -> str:
    raise DefinitionError(what=f"There is no file '{name}' here.", fix="Write it out.")
