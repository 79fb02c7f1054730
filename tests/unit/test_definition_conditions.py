"""Lint of `when:` and of regions that `in:` names: decided before the first step, by parameters and target alone."""

from __future__ import annotations

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.unit.definition_builders import KINDS, steps, write
from workshop.definition.lint import lint
from workshop.definition.schema import json_schema

API = "{id: api, kind: cloudformation.stack, in: each, with: {name: films, template: api.yaml.j2}}"
EDGE = "{id: edge, kind: cloudformation.stack, in: each, needs: [api], when: WHEN, with: {name: films, template: api.yaml.j2}}"
LAST = "{id: last, kind: http.check, in: each, needs: [edge], with: {url: WITH}}"
PARAMETERS = "parameters:\n  domain: {default: ''}\n  aside: {default: eu-central-1}\n  token: {default: '', secret: true}\n"


def problems(folder, *lines, **changes):
    text = steps(*lines).replace("parameters:\n", PARAMETERS)
    for old, new in changes.items():
        text = text.replace(old, new)
    path = write(folder, text, api__yaml__j2="A: 1\n")
    return [
        (problem.line, problem.field.rpartition("steps.")[2], f"{problem.what} {problem.fix}")
        for problem in lint(str(path), KINDS)
    ]


@pytest.mark.parametrize(
    "when",
    [
        "'{{ delegated }}'",
        "'{{ domain != \"\" }}'",
        "\"{{ target == 'aws' and zone_name and account and home in regions }}\"",
        "'no'",
        "'{% for region in regions if region == home %}yes{% endfor %}'",
    ],
)
def test_a_condition_reads_parameters_and_what_follows_from_the_target(tmp_path, when):
    assert problems(tmp_path, API, EDGE, WHEN=when) == []


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("'{{ steps.api[home].Id }}'", "It reads 'steps', and `when` is decided before the first step."),
        ("'{{ true or apis }}'", "It reads 'apis'"),
        ("'{{ true or names.api.url }}'", "It reads 'names'"),
        ("'{{ region }}'", "It reads 'region', and `when` is decided before the first step. Did you mean 'regions'?"),
        ("'{{ domian }}'", "Did you mean 'domain'?"),
        ("'{{ token }}'", "It reads 'token'"),
        ("delegated", "It is 'delegated', which is neither true nor false. Write a condition: '{{ delegated }}'."),
        ("'{{ zone_name }}'", "which is neither true nor false"),
        ("'{{ domain'", "not well formed"),
        ("true", "must be text"),
    ],
)
def test_a_condition_of_anything_else_is_refused_with_its_line(tmp_path, when, said):
    found = problems(tmp_path, API, EDGE, WHEN=when)
    assert {(line, field) for line, field, _ in found} == {(14, "edge.when")} and said in found[0][2]


def test_a_condition_of_a_module_is_checked_too(tmp_path):
    ((line, field, said),) = problems(tmp_path, API, **{"title: The backend": "title: The backend\n    when: '{{ steps }}'"})
    assert (line, field) == (12, "modules.backend.when") and "It reads 'steps'" in said


@pytest.mark.parametrize(
    ("read", "said"),
    [
        ("'{{ steps.edge[region].Host }}'", "reads an output of 'edge', which is switched off here"),
        ("'{{ steps.edge[region].Host if delegated else apis[region].host }}'", ""),
    ],
)
def test_an_output_is_read_only_where_its_step_runs_on_either_target(tmp_path, read, said):
    tail = {"      - {id: last": "      - {id: last", "regions: [": "apis: {step: api, stage: prod}\nregions: ["}
    last = LAST.replace("needs: [edge]", "needs: [api, edge]")
    found = problems(tmp_path, API, EDGE, last, WHEN="'{{ delegated }}'", WITH=read, **tail)
    assert [what for _, _, what in found if said not in what] == [] and bool(found) is bool(said)


@pytest.mark.parametrize("when", ["'{{ delegated }}'", "'yes'", "'no'"])
def test_a_step_waits_through_one_that_is_off_for_what_that_one_needs(tmp_path, when):
    last = LAST.replace("WITH", "'{{ steps.api[region].Id }}'")
    assert problems(tmp_path, API, EDGE, last, WHEN=when) == []
    alone = EDGE.replace("needs: [api]", "needs: []")
    found = problems(tmp_path, API, alone, last, WHEN=when)
    assert {field for _, field, _ in found} == {"last.with"} and "Add 'api' to `needs` of 'last'" in found[0][2]


def test_of_a_step_that_is_off_the_form_is_checked_and_no_value(tmp_path):
    off = "{id: off, kind: http.check, in: home, when: 'no', with: {ulr: x, deadline: '{{ domain }}'}}"
    assert [field for _, field, _ in problems(tmp_path, off)] == ["off.with.ulr"]
    assert [field for _, field, _ in problems(tmp_path, off.replace("ulr", "url"))] == []
    misspelt = off.replace("ulr", "url").replace("domain", "domian")
    assert [field for _, field, _ in problems(tmp_path, misspelt)] == ["off.with.deadline"]


@pytest.mark.parametrize("place", ["eu-central-1", "'{{ aside }}'", "'{{ regions[-1] }}'", "us-west-2"])
def test_a_step_may_have_a_region_of_its_own(tmp_path, place):
    own = "{id: own, kind: http.check, in: PLACE, with: {url: 'http://{{ region }}/'}}"
    reader = "{id: reader, kind: http.check, in: each, needs: [own], with: {url: '{{ steps.own.Url }}'}}"
    assert problems(tmp_path, own, reader, PLACE=place) == []


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("frankfurt", "'frankfurt' is not a place where a step runs. Use home, replicas, each, global, a region"),
        ("region", "'region' is not a place where a step runs"),
        ("'{{ domain }}'", "'' is not the name of a region"),
        ("'{{ asid }}'", "It reads 'asid', and `in` is decided before the first step. Did you mean 'aside'?"),
        ("'{{ steps.api }}'", "It reads 'steps'"),
    ],
)
def test_a_region_that_is_none_is_found_with_its_line(tmp_path, place, said):
    found = problems(tmp_path, "{id: own, kind: http.check, in: PLACE, with: {url: x}}", PLACE=place)
    assert {(line, field) for line, field, _ in found} == {(13, "own.in")} and said in found[0][2]


def test_a_kind_that_works_in_the_home_region_alone_takes_no_other(tmp_path):
    table = "{id: table, kind: dynamodb.table, in: eu-central-1, with: {name: films, keys: {PK: S}}}"
    ((_, field, said),) = problems(tmp_path, table)
    assert field == "table.in" and "A step of kind dynamodb.table cannot run in 'eu-central-1'. Use one of: home." in said


@pytest.mark.parametrize(("place", "fits"), [("eu-central-1", True), ("{{ aside }}", True), ("global", True), ("region", False)])
def test_the_schema_takes_regions_where_the_kind_does(place, fits):
    validator = Draft202012Validator(json_schema(KINDS))
    text = steps(API).replace("in: each", f"in: '{place}', when: '{{{{ delegated }}}}'")
    assert validator.is_valid(yaml.safe_load(text)) is fits
    table = steps("{id: table, kind: dynamodb.table, in: eu-central-1, with: {name: films, keys: {PK: S}}}")
    assert not validator.is_valid(yaml.safe_load(table))
