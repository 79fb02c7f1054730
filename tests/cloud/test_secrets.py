"""A workshop with a secret and with a parameter that may change, on the local cloud."""

from __future__ import annotations

import pytest

from tests.cloud.shell import HOME_REGION, Shell

pytestmark = pytest.mark.cloud
SECRET = "s3cr3t-of-the-identity-provider"
TEXT = """\
name: films
title: Films
regions: [us-west-2]
parameters:
  token: {secret: true, pattern: '.+'}
  level: {default: low, choices: [low, high], changeable: true}
  shape: {default: round}
modules:
  - name: backend
    title: The backend
    steps:
      - id: idp
        kind: cloudformation.stack
        in: home
        with: {name: films-idp, template: idp.yaml, parameters: {Token: '{{ token }}', Level: '{{ level }}'}}
"""
TEMPLATE = """\
Parameters:
  Token: {Type: String, NoEcho: true}
  Level: {Type: String}
Resources:
  Kept: {Type: 'AWS::SSM::Parameter', Properties: {Name: films-idp, Type: String, Value: !Ref Token}}
  Level: {Type: 'AWS::SSM::Parameter', Properties: {Name: films-level, Type: String, Value: !Ref Level}}
Outputs:
  Echo: {Value: !Ref Token}
"""
WHERE = ("--workshop", ".", "--yes")


@pytest.fixture(scope="module")
def films(shell: Shell) -> Shell:
    (shell.work / "workshop.yaml").write_text(TEXT)
    (shell.work / "idp.yaml").write_text(TEMPLATE)
    return shell


def written(shell: Shell) -> str:
    """Everything that the tool keeps in its state folder, the local cloud's own data left out."""
    files = (path for path in shell.state.rglob("*") if path.is_file() and "cloud" not in path.relative_to(shell.state).parts)
    return "".join(path.read_bytes().decode("latin-1") for path in files)


def test_a_secret_reaches_the_stack_and_nothing_that_is_shown_or_kept(films):
    given = {"WORKSHOP_SECRET_TOKEN": SECRET}
    refused = films.run("setup", *WHERE, code=2)
    assert "The secret 'token' is not given" in refused.err
    open_line = films.run("setup", *WHERE, "--param", f"token={SECRET}", code=2)
    assert "is not taken from --param" in open_line.err
    seen = [refused, open_line]
    seen += [films.run(*words, *WHERE, env=given) for words in (["setup", "--plan", "--json"], ["setup", "--json"], ["setup"])]
    value = films.client("ssm").get_parameter(Name="films-idp")["Parameter"]["Value"]
    assert value == SECRET, "it reached what the stack makes"
    words = (["status", "--json"], ["explain"], ["step", "show", "idp", "--json"], ["check", "--json", "--only", "definition"])
    seen += [films.run(*each, "--workshop", ".", env=given) for each in words]
    (idp,) = seen[5].document["steps"]
    assert idp["state"] == "ready", "a value that AWS does not return is not taken for a changed one"
    assert {step["outcome"] for step in seen[3].document["steps"]} == {"created"}
    assert "1 unchanged" in seen[4].out
    assert SECRET not in "".join(result.out + result.err for result in seen) and SECRET not in written(films)


def test_a_secret_may_lie_in_systems_manager_and_a_teardown_does_not_need_it(films):
    ssm = films.client("ssm")
    ssm.put_parameter(Name="/workshop/films/token", Type="SecureString", Value=f"{SECRET}-2\n")
    films.run("setup", *WHERE)
    ssm.delete_parameter(Name="/workshop/films/token")
    removed = films.document("teardown", *WHERE)
    assert removed["leftovers"] == [] and SECRET not in written(films)
    assert ssm.get_parameters(Names=["films-idp"])["Parameters"] == []


def test_a_parameter_that_may_change_is_one_setup_away_and_every_other_needs_a_teardown(films):
    given = {"WORKSHOP_SECRET_TOKEN": SECRET}
    films.run("setup", *WHERE, env=given)
    (changed,) = films.document("setup", *WHERE, "--param", "level=high", env=given)["steps"]
    assert changed["outcome"] == "updated"
    assert films.client("ssm", HOME_REGION).get_parameter(Name="films-level")["Parameter"]["Value"] == "high"
    (kept,) = films.document("setup", *WHERE, env=given)["steps"]
    assert kept["outcome"] == "unchanged", "the new value is recorded"
    refused = films.run("setup", *WHERE, "--param", "shape=square", env=given, code=2)
    assert "already deployed with another shape" in refused.err
    assert films.document("teardown", *WHERE)["leftovers"] == []
