"""The `drill:` block: its form, and what lint refuses of a load that no drill could measure."""

from __future__ import annotations

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.unit.definition_builders import KINDS, steps, workshop, write
from workshop.definition.derived import plan_variables
from workshop.definition.lint import lint
from workshop.definition.parameters import resolve
from workshop.definition.schema import json_schema
from workshop.definition.templating import render_value

API = "{id: api, kind: cloudformation.stack, in: each, with: {name: films, template: api.yaml.j2}}"
RECORDS = "{id: records, kind: http.check, in: global, with: {url: 'http://x/'}}"
DRILL = """\
apis: {step: api, stage: prod}
names: {api: {step: records}}
drill:
  name: api
  write: {method: POST, path: '', body: {item_id: '{{ id }}', from: ['{{ region }}', 1]}, id: 'drill-{{ run }}-{{ n }}'}
  read: {path: '{{ id }}'}
  health: {path: health, region: region}
  rows: {table: '{{ table }}', key: {item_id: '{{ id }}'}}
  targets: {rto: 900, rpo: 60}
"""
OWN_ID = "id: '{{ response.id }}'"


def problems(folder, drill=DRILL):
    path = write(folder, steps(API, RECORDS) + drill, api__yaml__j2="A: 1\n")
    return [(problem.line, problem.field, f"{problem.what} {problem.fix}") for problem in lint(str(path), KINDS)]


def test_a_block_is_sound_and_its_texts_are_filled_in_for_each_write(tmp_path):
    assert problems(tmp_path) == []
    found = workshop(tmp_path, steps(API, RECORDS) + DRILL)
    spec = found.definition.drill
    assert (spec.name, spec.read.method, spec.targets.rpo) == ("api", "GET", 60)
    plan = plan_variables(found.definition, resolve(found, {}, []), "local", "000000000000")
    body = render_value(spec, spec.write.body, {**plan, "region": "eu-west-1", "id": "x-7"}, "write", "body")
    assert body == {"item_id": "x-7", "from": ["eu-west-1", 1]}
    assert render_value(spec, spec.rows.table, plan, "rows", "table") == "films"


def test_a_workshop_needs_no_block_and_the_built_in_one_has_none(tmp_path):
    assert problems(tmp_path, "") == []


def test_an_api_may_choose_the_id_itself(tmp_path):
    own = DRILL.replace("id: 'drill-{{ run }}-{{ n }}'", OWN_ID).replace("item_id: '{{ id }}', from", "from")
    ((line, field, text),) = problems(tmp_path, own)
    assert (line, field) == (19, "drill.rows") and "could not be removed" in text
    own = own.replace("key: {item_id: '{{ id }}'}", "key: {item_id: '{{ id }}'}, holds: {from: 'drill {{ run }}'}")
    assert problems(tmp_path, own) == []
    nested = own.replace("response.id", "response.item.id")
    assert problems(tmp_path, nested) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "said"),
    [
        ("name: api\n", "name: apo\n", 15, "drill.name", "'apo' is none of `names:`. Did you mean 'api'?"),
        ("names: {api: {step: records}}\n", "\n", 15, "drill.name", "is none of `names:`"),
        ("apis: {step: api, stage: prod}\n", "\n", 14, "drill", "the definition names none"),
        ("-{{ run }}-{{ n }}'", "'", 16, "drill.write.id", "Two writes have the same id."),
        ("read: {path: '{{ id }}'}", "read: {path: all}", 17, "drill.read.path", "the same for two items"),
        ("key: {item_id: '{{ id }}'}", "key: {item_id: x}", 19, "drill.rows.key", "the same for two items"),
        ("path: health", "path: /health", 18, "drill.health.path", "'/health' is no path below the address"),
        ("path: health", "path: 'http://evil/'", 18, "drill.health.path", "is no path below the address"),
        ("'{{ id }}'}\n  health", "'{{ idd }}'}\n  health", 17, "drill.read.path", "'idd' is not defined"),
        ("{{ table }}", "{{ steps.api }}", 19, "drill.rows.table", "steps.api is not there"),
        ("id: 'drill-{{ run }}-{{ n }}'", OWN_ID, 16, "drill.write.body", "It reads 'id', which the API chooses"),
        ("path: '', body", "path: '{{ response.x }}', body", 16, "drill.write.path", "'response' is not defined"),
        ("method: POST", "method: DELETE", 16, "drill.write.method", "'DELETE' is not one of the values"),
        ("rto: 900", "rto: 0", 20, "drill.targets.rto", "above 0"),
        ("rows: {table", "rows: {tabel", 19, "drill.rows.tabel", "Did you mean 'table'?"),
        ("  rows: {table: '{{ table }}', key: {item_id: '{{ id }}'}}\n", "", 14, "drill.rows", "'rows' is missing"),
    ],
)
def test_a_load_that_no_drill_could_measure_is_found_with_its_line(tmp_path, old, new, line, field, said):
    assert old in DRILL
    found = problems(tmp_path, DRILL.replace(old, new, 1))
    assert [(at, where) for at, where, _ in found] == [(line, field)], found
    assert said in found[0][2]


def test_a_parameter_with_the_name_of_a_variable_of_the_drill_is_found(tmp_path):
    text = (steps(API, RECORDS) + DRILL).replace("parameters:\n", "parameters:\n  run: {default: x}\n")
    (problem,) = lint(str(write(tmp_path, text, api__yaml__j2="A: 1\n")), KINDS)
    assert problem.field == "parameters.run" and "variable of the drill" in problem.what


def test_the_schema_takes_the_block(tmp_path):
    validator = Draft202012Validator(json_schema(KINDS))
    text = steps(API, RECORDS) + DRILL
    assert validator.is_valid(yaml.safe_load(text))
    assert not validator.is_valid(yaml.safe_load(text.replace("read:", "raed:")))


def test_a_token_needs_the_pool_in_which_its_client_is_made(tmp_path):
    with_token = DRILL.replace("read: {path: '{{ id }}'}", "read: {path: '{{ id }}', token: machine}")
    ((line, field, text),) = problems(tmp_path, with_token)
    assert (line, field) == (17, "drill.read.token") and "`signin:`" in text and "leave `token` out" in text
    arn = "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_AbCdEf123"
    signin = f"signin: {{pool: '{arn}', client: c1, host: films.auth.eu-central-1.amazoncognito.com, redirect: 'https://x/y'}}\n"
    assert problems(tmp_path, signin + with_token) == []
    ((_, field, _),) = problems(tmp_path, signin + with_token.replace("token: machine", "token: mine"))
    assert field == "drill.read.token"
