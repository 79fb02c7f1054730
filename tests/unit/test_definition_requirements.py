"""`requires`: parameters that belong together, in the form, in lint and with the values of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.unit.definition_builders import KINDS, steps, write
from workshop.definition.derived import plan_variables
from workshop.definition.lint import lint
from workshop.definition.loader import Workshop, load
from workshop.definition.parameters import Settings, resolve
from workshop.definition.requirements import require_parameters, required
from workshop.definition.schema import json_schema
from workshop.errors import UsageError

CHECK = "{id: ping, kind: http.check, in: home, with: {url: 'http://127.0.0.1/'}}"
PARAMETERS = """\
parameters:
  pool: {default: ''}
  client: {default: ''}
  token: {secret: true}
requires:
  - {when: WHEN, parameters: NAMES, why: A pool has a client.}
"""


def definition(folder: Path, when: str = "'{{ pool != \"\" }}'", names: str = "[client]") -> Path:
    own = PARAMETERS.replace("WHEN", when).replace("NAMES", names)
    text = steps(CHECK).replace("parameters:\n  table: {default: films, pattern: '[a-z]{3,9}'}\n", own)
    return write(folder, text)


def workshop(folder: Path, **changes: str) -> Workshop:
    return load(str(definition(folder, **changes)), KINDS)


def raised(found: Workshop, settings: Settings) -> UsageError:
    with pytest.raises(UsageError) as caught:
        require_parameters(found, settings, plan_variables(found.definition, settings, "local", "111122223333"))
    return caught.value


def test_a_requirement_is_sound_and_part_of_the_schema(tmp_path: Path) -> None:
    assert lint(str(definition(tmp_path)), KINDS) == []
    validator = Draft202012Validator(json_schema(KINDS)["properties"]["requires"] | {"$defs": json_schema(KINDS)["$defs"]})
    assert validator.is_valid([{"when": "true", "parameters": ["a"], "why": "So."}])
    assert not validator.is_valid([{"when": "true", "parameters": []}])


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"names": "[client, cliemt]"}, "requires.0.parameters.1", "'cliemt' is not a parameter. Did you mean 'client'?"),
        ({"names": "[]"}, "requires.0.parameters", ""),
        ({"when": "'{{ token }}'"}, "requires.0.when", "It reads 'token', and `when` is decided before the first step."),
        ({"when": "'{{ steps.ping }}'"}, "requires.0.when", "It reads 'steps'"),
        ({"when": "perhaps"}, "requires.0.when", "It is 'perhaps', which is neither true nor false."),
    ],
)
def test_a_requirement_that_cannot_be_used_is_a_problem_with_its_line(
    tmp_path: Path, changes: dict[str, str], field: str, text: str
) -> None:
    (found,) = lint(str(definition(tmp_path, **changes)), KINDS)
    assert (found.field, found.line) == (field, 9)
    assert text in f"{found.what} {found.fix}"


def test_what_is_missing_is_named_at_once_with_what_to_give(tmp_path: Path) -> None:
    found = workshop(tmp_path, names="[pool, client, token]")
    error = raised(found, resolve(found, {"pool": "p"}, ()))
    assert (error.what, error.why, error.code) == (
        "The parameters client and token are missing.",
        "A pool has a client.",
        "MissingParameter",
    )
    assert error.fix == (
        "Give with the command: --param client=VALUE. First run: read -rs WORKSHOP_SECRET_TOKEN && export WORKSHOP_SECRET_TOKEN"
    )
    assert error.exit_code == 2


def test_where_the_condition_is_false_or_everything_is_given_nothing_is_missing(tmp_path: Path) -> None:
    found = workshop(tmp_path, names="[client, token]")
    for settings, names in (
        (resolve(found, {}, ()), []),
        (resolve(found, {"client": "c"}, ()), []),
        (replace(resolve(found, {"pool": "p", "client": "c"}, ()), secrets={"token": "a-long-secret"}), ["client", "token"]),
    ):
        plan = plan_variables(found.definition, settings, "aws", "111122223333")
        assert required(found, settings, plan) == dict.fromkeys(names)
        require_parameters(found, settings, plan)


def test_a_secret_that_is_there_and_could_not_be_read_has_its_own_error(tmp_path: Path) -> None:
    found = workshop(tmp_path, names="[token]")
    unread = {"token": UsageError(what="It could not be read.", fix="Allow it")}
    settings = replace(resolve(found, {"pool": "p"}, ()), unread=unread)
    require_parameters(found, settings, plan_variables(found.definition, settings, "local", "111122223333"))
    assert "token" in raised(found, replace(settings, unread={})).what
