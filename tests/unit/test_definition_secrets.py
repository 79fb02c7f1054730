"""Parameters that are secrets, have choices or may change: what lint, the command line and a session make of them."""

from __future__ import annotations

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.checks.builders import FakeAwsClient, denied, refusal
from tests.unit.definition_builders import KINDS, steps, workshop, write
from workshop.app.secrets import with_masks, with_secrets
from workshop.console.echo import say, say_json
from workshop.console.style import stream
from workshop.definition.derived import plan_variables
from workshop.definition.lint import lint
from workshop.definition.parameters import resolve, still_valid
from workshop.definition.schema import json_schema
from workshop.definition.secrets import obstacles, require_secrets
from workshop.errors import UsageError, WorkshopError
from workshop.redaction import keep_secret, redact

STACK = (
    "{id: api, kind: cloudformation.stack, in: home, "
    "with: {name: films, template: api.yaml.j2, parameters: {Token: '{{ token }}'}}}"
)
PARAMETERS = """\
parameters:
  token: {secret: true, pattern: '[A-Za-z0-9-]+'}
  spare: {secret: true}
  policy: {default: weighted, choices: [weighted, latency, failover], changeable: true}
"""
VALUE = "hunter2-4711-abcdef"
NAME, VARIABLE = "/workshop/films/token", "WORKSHOP_SECRET_TOKEN"


def text(*lines):
    return steps(*(lines or (STACK,))).replace("parameters:\n", PARAMETERS, 1)


def problems(folder, definition, template="A: 1\n"):
    path = write(folder, definition, api__yaml__j2=template)
    return [(problem.field.rpartition("steps.")[2], f"{problem.what} {problem.fix}") for problem in lint(str(path), KINDS)]


@pytest.fixture
def films(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    return workshop(tmp_path, text(), api__yaml__j2="A: 1\n")


def store(**values):
    """Systems Manager with these parameters, each `(type, value)` by its name below the workshop's."""

    def get_parameter(region, Name, WithDecryption):
        assert region == "us-west-2" and WithDecryption
        kind, value = values.get(Name.rpartition("/")[2], ("", ""))
        if not kind:
            raise refusal("ParameterNotFound")
        return {"Parameter": {"Name": Name, "Type": kind, "Value": value}}

    return FakeAwsClient({"ssm.get_parameter": get_parameter})


def test_a_value_that_is_none_of_the_choices_is_refused_with_the_nearest(films):
    assert resolve(films, {"policy": "latency"}, []).parameters["policy"] == "latency"
    with pytest.raises(UsageError, match="does not fit parameter 'policy'") as caught:
        resolve(films, {"policy": "failove"}, [])
    assert "weighted, latency, failover" in caught.value.why and caught.value.fix.endswith("--param policy=failover")


def test_a_secret_is_not_taken_from_the_command_line_and_its_value_is_not_repeated(films):
    with pytest.raises(UsageError, match="'token' is a secret, and is not taken from --param") as caught:
        resolve(films, {"token": VALUE}, [])
    assert VALUE not in str(caught.value) and VARIABLE in caught.value.fix and NAME in caught.value.fix


def test_what_records_parameters_sees_no_secret(films):
    settings = resolve(films, {}, [])
    assert dict(settings.parameters) == {"policy": "weighted", "table": "films"}
    assert still_valid(films, {"token": VALUE, "policy": "latency"}) == ({"policy": "latency"}, ["token"])


async def test_a_secret_comes_from_the_environment_first_and_from_systems_manager_otherwise(films, monkeypatch):
    aws = store(token=("SecureString", f"{VALUE}-stored\n"))
    settings = await with_secrets(films, resolve(films, {}, []), aws)
    assert settings.secrets == {"token": f"{VALUE}-stored", "spare": ""} and VALUE not in repr(settings)
    assert plan_variables(films.definition, settings, "aws", "1")["token"] == f"{VALUE}-stored"
    monkeypatch.setenv(VARIABLE, VALUE)
    aws.calls.clear()
    settings = await with_secrets(films, resolve(films, {}, []), aws)
    assert settings.secrets["token"] == VALUE and len(aws.calls) == 1, "the other one alone is looked for"


async def test_a_setup_does_not_begin_without_a_secret_that_it_needs(films):
    settings = await with_secrets(films, resolve(films, {}, []), store())
    with pytest.raises(UsageError, match="The secret 'token' is not given") as caught:
        require_secrets(films, settings)
    assert caught.value.code == "MissingSecret" and "put-parameter" in caught.value.fix and NAME in caught.value.fix
    assert obstacles(films, settings)["spare"] is None, "the empty text fits it"


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (("String", VALUE), "NoSecureString", "is no SecureString"),
        (("SecureString", "tiny"), "BadSecret", "fewer than 8 characters"),
        (("SecureString", "not fitting the pattern"), "BadSecret", "must match"),
    ],
)
async def test_a_secret_that_does_not_fit_stops_a_setup_and_nothing_else(films, answer, code, said):
    settings = await with_secrets(films, resolve(films, {}, []), store(token=answer))
    assert settings.secrets == {"spare": ""}
    with pytest.raises(UsageError) as caught:
        require_secrets(films, settings)
    assert caught.value.code == code and said in str(caught.value) and answer[1] not in str(caught.value)


async def test_that_systems_manager_cannot_be_read_is_the_error_of_a_setup(films):
    aws = FakeAwsClient({"ssm.get_parameter": denied("ssm", "get_parameter")})
    settings = await with_secrets(films, resolve(films, {}, []), aws)
    with pytest.raises(UsageError, match="'token' could not be read") as caught:
        require_secrets(films, settings)
    assert caught.value.fix


def test_what_only_explains_shows_a_mask(films):
    assert with_masks(films, resolve(films, {}, [])).secrets == {"token": "***", "spare": "***"}


@pytest.mark.parametrize("value", ["plain-secret-0815", 'quo"ted-\\secret-0815', "it's-a-secret-0815", "pass wörd-0815"])
def test_a_known_secret_leaves_the_process_masked_in_every_form(capsys, value):
    keep_secret(value)
    say(f"line {value} end")
    say_json({"text": value, "more": [f"a {value}"]})
    stream().print(f"table {value} end", markup=False)
    found = capsys.readouterr().out
    assert "0815" not in found and found.count("***") == 4
    assert "0815" not in redact(value) and "0815" not in str(WorkshopError(what=f"x {value}", why=value, fix=value))


def test_a_definition_with_secrets_choices_and_changes_is_sound(tmp_path):
    assert problems(tmp_path, text()) == []


@pytest.mark.parametrize(
    ("old", "new", "field", "said"),
    [
        ("{secret: true}", "{secret: true, default: x}", "parameters.spare.default", "A secret has no default"),
        ("spare:", "claim:", "parameters.claim", "cannot be a secret"),
        ("default: weighted,", "", "parameters.policy.default", "The field 'default' is missing"),
        ("default: weighted", "default: wieghted", "parameters.policy.default", "is none of the choices. Use one of: weighted,"),
        ("name: films, template", "name: 'x-{{ token }}', template", "api.with.name", "The secret 'token' would be part of it"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_found(tmp_path, old, new, field, said):
    definition = text()
    assert old in definition
    ((where, what),) = problems(tmp_path, definition.replace(old, new, 1))
    assert where == field and said in what


def test_a_file_that_would_hold_a_secret_is_found(tmp_path):
    ((where, what),) = problems(tmp_path, text(), "A: '{{ token }}'\n")
    assert where == "api.with.template" and "would be part of it" in what and "NoEcho" in what


def test_the_schema_asks_for_a_default_of_everything_but_secrets(tmp_path):
    validator = Draft202012Validator(json_schema(KINDS))
    assert validator.is_valid(yaml.safe_load(text()))
    assert not validator.is_valid(yaml.safe_load(text().replace("default: weighted,", "")))
    assert not validator.is_valid(yaml.safe_load(text().replace("{secret: true}", "{}")))
