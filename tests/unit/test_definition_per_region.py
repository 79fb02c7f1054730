"""A setting with one entry, which is rendered once for each region of the workshop."""

from __future__ import annotations

import contextlib
from typing import Annotated

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field

from tests.unit.definition_builders import KINDS, Inert, steps, write
from tests.unit.fakes.workspaces import workspace
from workshop.definition.lint import lint
from workshop.definition.schema import json_schema
from workshop.definition.templating import MissingOutputError
from workshop.engine.workspace import Contexts
from workshop.errors import DefinitionError
from workshop.steps.base import Params, Placement
from workshop.steps.registry import register, unregister
from workshop.steps.settings import PerRegion, per_region

HOME, FAR = "us-west-2", "eu-west-1"


class Port(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1)
    weight: int = 1


class PierParams(Params):
    name: str
    ports: Annotated[tuple[Port, ...], PerRegion()]


PIER = Inert("test.pier", PierParams, Placement.GLOBAL, Placement.EACH)
API = "{id: api, kind: cloudformation.stack, in: each, with: {name: films, template: api.yaml.j2}}"


def pier(ports: str, place: str = "global") -> str:
    return steps(API, f"{{id: pier, kind: test.pier, in: {place}, needs: [api], with: {{name: x, ports: {ports}}}}}")


def problems(folder, ports, place="global"):
    path = write(folder, pier(ports, place), api__yaml__j2="A: 1\n")
    return [(p.line, p.field, f"{p.what} {p.fix}") for p in lint(str(path), {**KINDS, "test.pier": PIER})]


@pytest.fixture
def contexts(tmp_path):
    """Contexts of a workshop whose last step has the entry of the test, and the node of that step."""
    with contextlib.ExitStack() as stack:
        register(PIER)
        stack.callback(unregister, PIER)

        def made(ports, place="global"):
            found = stack.enter_context(workspace(tmp_path, pier(ports, place), api__yaml__j2="A: 1\n"))
            return Contexts(found, lambda _: None), found.plan().nodes

        yield made


def test_the_mark_is_found_on_the_field():
    assert per_region(PierParams) == {"ports"}
    assert per_region(Params) == frozenset()


def test_the_kind_is_given_an_entry_for_each_region_home_first_with_the_outputs_of_that_region(contexts):
    found, nodes = contexts("{host: '{{ steps.api[region].Host }}', weight: '{{ 3 if region == home else 1 }}'}")
    for node in nodes[:2]:
        found.outputs[node.key] = {"Host": f"{node.key.region}.example"}
    _, ctx = found.context(nodes[-1])
    assert ctx.params.ports == (Port(host=f"{HOME}.example", weight=3), Port(host=f"{FAR}.example"))
    assert ctx.regions == (HOME, FAR), "the order of the entries"


def test_an_output_that_is_missing_in_one_region_names_file_line_field_and_region(contexts):
    found, nodes = contexts("{host: '{{ steps.api[region].Host }}'}")
    found.outputs[next(node.key for node in nodes if node.key.region == HOME)] = {"Host": "a"}
    with pytest.raises(MissingOutputError, match=rf"steps.api\['{FAR}'\] is not there \(in the entry for {FAR}\)\.") as caught:
        found.context(nodes[-1])
    assert caught.value.where.endswith("workshop.yaml:11")
    assert caught.value.field == "modules.backend.steps.pier.with.ports.host"


def test_a_value_that_the_kind_refuses_in_one_region_names_the_region(contexts):
    found, nodes = contexts('{host: \'{{ "a" if region == home else "" }}\'}')
    with pytest.raises(DefinitionError, match=rf"must not be empty \(in the entry for {FAR}\)\.") as caught:
        found.context(nodes[-1])
    assert caught.value.field == "modules.backend.steps.pier.with.ports.host"


def test_a_step_in_each_region_uses_its_own_entry_and_waits_for_no_other_region(contexts):
    found, nodes = contexts("{host: 'at {{ steps.api[region].Host }}'}", place="each")
    own = next(node for node in nodes if (node.key.step, node.key.region) == ("pier", FAR))
    with pytest.raises(MissingOutputError):
        found.context(own)
    found.outputs[next(node.key for node in nodes if node.key.region == FAR)] = {"Host": "a"}
    _, ctx = found.context(own)
    assert [port.host for port in ctx.params.ports] == ["at ", "at a"]


def test_lint_of_a_step_in_each_region_finds_what_its_own_entry_reads_elsewhere_alone(tmp_path):
    assert problems(tmp_path, "{host: 'at {{ steps.api[region].Host }}'}", place="each") == []
    (_, _, text), *_ = problems(tmp_path, "{host: 'at {{ steps.api[home].Host }}'}", place="each")
    assert f"The entry for {FAR} reads an output that 'api' has in {HOME}." in text


@pytest.mark.parametrize(
    ("ports", "field", "text"),
    [
        ("{hots: x}", "hots", "no field 'hots' here, and 'host' is missing (in the entry for us-west-2). Did you mean 'host'?"),
        ("{host: x, colour: x}", "colour", "no field 'colour' here (in the entry for us-west-2)"),
        ("{host: '{{ regoin }}'}", "host", "'regoin' is not defined (in the entry for us-west-2). Did you mean 'region'?"),
        ("{host: x, weight: '{{ region }}'}", "weight", "A whole number is needed here"),
        ("{host: '{{ \"\" if region == regions[1] else 1 }}'}", "host", "must not be empty (in the entry for eu-west-1)"),
        ("{host: '{{ steps.api[home].Host }}'}", "", f"The entry for {FAR} reads an output that 'api' has in {HOME}."),
        ("[{host: x}, {host: y}]", "", "A group of fields is needed here, and there is a list"),
        ("per-region", "", "A group of fields is needed here, and there is 'per-region'"),
    ],
)
def test_lint_reports_one_problem_for_all_regions_and_names_the_first_of_them(tmp_path, ports, field, text):
    ((line, where, said),) = problems(tmp_path, ports)
    assert line == 11 and where == ".".join(filter(None, ("modules.backend.steps.pier.with.ports", field)))
    assert text in said


def test_an_entry_that_reads_a_step_without_waiting_for_it_is_found(tmp_path):
    text = pier("{host: '{{ steps.api[region].Host }}'}")
    kinds = {**KINDS, "test.pier": PIER}
    assert lint(str(write(tmp_path, text, api__yaml__j2="A: 1\n")), kinds) == []
    (problem,) = lint(str(write(tmp_path, text.replace("needs: [api], ", ""))), kinds)
    assert f"reads an output of 'api' ({FAR}, {HOME}) and does not wait for it" in problem.what


@pytest.mark.parametrize(("ports", "fits"), [({"host": "x"}, True), ([{"host": "x"}], False), ({"hots": "x"}, False)])
def test_the_schema_takes_the_one_entry_that_is_written(ports, fits):
    schema = json_schema({"test.pier": PIER})
    validator = Draft202012Validator({**schema["$defs"]["test.pier"], "$defs": schema["$defs"]})
    assert validator.is_valid({"name": "x", "ports": ports}) is fits
