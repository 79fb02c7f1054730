"""Lint of the `drill:` block: a load that could not be told apart from another, or not be found again, is refused beforehand.

In: a definition that knows where it is defined, and the variables of its plan. Out: problems with file, line and field. No
request is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workshop.definition.drill_model import LoadSpec
from workshop.definition.form_errors import problem_at
from workshop.definition.model import Definition
from workshop.definition.problem import Problem, closest, from_error
from workshop.definition.renderer import Renderer
from workshop.definition.source_location import SourceLocation
from workshop.definition.templating import render_value
from workshop.definition.variables import Blank
from workshop.errors import DefinitionError
from workshop.quoting import shown

__all__ = ["DRILL_VARIABLES", "drill_problems"]

DRILL_VARIABLES = ("n", "id", "run", "region", "value")
"""What the templates of the block see besides the variables of the plan."""
RESPONSE = "response"
RUN = "20260101-000000-abcd"


def drill_problems(definition: Definition, plan: Mapping[str, Any]) -> list[Problem]:
    """Every problem of the block; none where there is none."""
    spec = definition.drill
    if spec is None or spec.location is None:
        return []
    look = _Look(definition, spec, spec.location, plan)
    return list(dict.fromkeys((*look.meaning(), *look.templates())))


class _Look:
    """One look at the block."""

    def __init__(self, definition: Definition, spec: LoadSpec, location: SourceLocation, plan: Mapping[str, Any]) -> None:
        self.definition, self.spec, self.location, self.plan = definition, spec, location, plan

    def meaning(self) -> Iterator[Problem]:
        """What the fields mean beside the rest of the definition."""
        if self.definition.apis is None:
            yield self._at(
                (),
                "A drill puts its load on the APIs, and the definition names none.",
                "Add, for example, apis: {step: api, stage: api}",
            )
        names = self.definition.names
        if self.spec.name and self.spec.name not in names:
            fix = closest(self.spec.name, names) or "Add it to `names:`, or leave `name` out: the load then calls each region."
            yield self._at(("name",), f"'{self.spec.name}' is none of `names:`.", fix)
        for field in ("write", "read"):
            if getattr(self.spec, field).token and self.definition.signin is None:
                what = "A client of the drill's own is made in the user pool of `signin:`, and the definition has no such block."
                yield self._at((field, "token"), what, "Add it, or leave `token` out.")
        for name in self.definition.parameters:
            if name in (*DRILL_VARIABLES, RESPONSE):
                where = ("parameters", name)
                what = f"The parameter '{name}' has the name of a variable of the drill."
                yield problem_at(self.location.document, where, what, "Choose another name.")

    def templates(self) -> Iterator[Problem]:
        """What shows when the load of two writes is prepared."""
        answered = RESPONSE in self._read_by(self.spec.write.id)
        if answered:
            for field in ("path", "body"):
                if "id" in self._read_by(getattr(self.spec.write, field)):
                    what = "It reads 'id', which the API chooses: the id of the write reads its response."
                    yield self._at(("write", field), what, "Leave it out, or make the id of {{ run }} and {{ n }}.")
                    return
        try:
            first, second = self._write(1, answered=answered), self._write(2, answered=answered)
        except DefinitionError as error:
            yield from_error(error)
            return
        if first["id"] == second["id"]:
            yield self._at(("write", "id"), "Two writes have the same id.", "Let it depend on {{ run }} and {{ n }}.")
            return
        if answered and RUN not in "".join(first["rows", "holds"].values()):
            what = "The API chooses the ids, and nothing in an item shows that it is the drill's, so it could not be removed."
            yield self._at(("rows",), what, "Name an attribute that holds {{ run }}: holds: {note: 'drill {{ run }}'}")
        for place in (("read", "path"), ("rows", "key")):
            if first[place] == second[place]:
                yield self._at(place, "It is the same for two items.", "Let it depend on {{ id }}.")
        for place in (("write", "path"), ("read", "path"), ("health", "path")):
            path = first.get(place, "")
            if path.startswith("/") or "://" in path or not path.isprintable():
                yield self._at(
                    place,
                    f"'{shown(path)}' is no path below the address of the API.",
                    "Write it without a slash at the start: items/{{ id }}",
                )

    def _write(self, number: int, *, answered: bool) -> dict[Any, Any]:
        """The texts of one write, by field; raises `DefinitionError`."""
        spec, found = self.spec, dict[Any, Any]()
        variables = {**self.plan, "region": self.plan["home"], "n": number, "value": f"{number}.000", "run": RUN}
        if answered:
            variables[RESPONSE] = Blank(f"response-{number}")  # its members are the same text
        found["id"] = variables["id"] = self._filled(spec.write.id, variables, "write", "id")
        variables.pop(RESPONSE, None)
        found["write", "path"] = self._filled(spec.write.path, variables, "write", "path")
        self._filled(spec.write.body, variables, "write", "body")
        found["read", "path"] = self._filled(spec.read.path, variables, "read", "path")
        if spec.health:
            found["health", "path"] = self._filled(spec.health.path, variables, "health", "path")
        self._filled(spec.rows.table, variables, "rows", "table")
        found["rows", "key"] = self._filled(dict(spec.rows.key), variables, "rows", "key")
        found["rows", "holds"] = self._filled(dict(spec.rows.holds), variables, "rows", "holds")
        return found

    def _filled(self, value: Any, variables: Mapping[str, Any], *field: str) -> Any:
        return render_value(self.spec, value, variables, *field)

    def _read_by(self, value: Any) -> frozenset[str]:
        """The variables that the templates of a value read; none of a template that is not well formed, which shows later."""
        renderer: Renderer = self.location.renderer
        if isinstance(value, Mapping):
            return frozenset().union(*(self._read_by(member) for member in (*value, *value.values())))
        if isinstance(value, list | tuple):
            return frozenset().union(*(self._read_by(member) for member in value))
        try:
            return renderer.variables_of(value, self.location.where()) if isinstance(value, str) else frozenset()
        except DefinitionError:
            return frozenset()

    def _at(self, field: tuple[str, ...], what: str, fix: str) -> Problem:
        return problem_at(self.location.document, (*self.location.base, *field), what, fix)
