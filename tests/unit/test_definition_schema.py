"""The JSON Schema agrees with what loading accepts and refuses."""

from __future__ import annotations

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.unit.definition_builders import KINDS, steps
from workshop.definition.builtins import builtin_folder
from workshop.definition.schema import json_schema

TABLE = "{id: table, kind: dynamodb.table, in: home, with: {name: '{{ table }}', keys: {PK: S}}}"


def errors(text, kinds=KINDS):
    validator = Draft202012Validator(json_schema(kinds))
    return ["/".join(map(str, error.absolute_path)) for error in validator.iter_errors(yaml.safe_load(text))]


def test_it_is_a_schema_of_the_stated_draft():
    Draft202012Validator.check_schema(json_schema())


def test_the_builtin_workshop_fits_the_schema_of_the_real_kinds():
    assert errors((builtin_folder("global-serverless") / "workshop.yaml").read_text(), None) == []


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("keys: {PK: S}", "keys: {PK: X}", "modules/0/steps/0/with/keys/PK"),
        ("keys: {PK: S}", "keys: {PK: S}, steam: 1", "modules/0/steps/0/with"),
        (", keys: {PK: S}", "", "modules/0/steps/0/with"),
        (", with: {name: '{{ table }}', keys: {PK: S}}", "", "modules/0/steps/0"),
        ("in: home", "in: each", "modules/0/steps/0/in"),
        ("dynamodb.table", "dynamodb.tabel", "modules/0/steps/0/kind"),
        ("eu-west-1", "europe", "regions/1"),
        ("title: Films", "titel: Films", ""),
    ],
)
def test_a_mistake_is_found_where_it_is(old, new, place):
    text = steps(TABLE)
    assert errors(text) == []
    assert old in text
    assert place in errors(text.replace(old, new, 1))


@pytest.mark.parametrize("setting", ["stream: true", "stream: '{{ stream }}'", "stream: '{% if x %}true{% endif %}'"])
def test_a_template_is_allowed_where_a_kind_wants_a_value_of_some_form(setting):
    assert errors(steps(TABLE.replace("keys", f"{setting}, keys"))) == []
    assert errors(steps(TABLE.replace("keys", "stream: maybe, keys"))) == ["modules/0/steps/0/with/stream"]
