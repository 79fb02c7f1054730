"""Steps that are switched off and steps with a region of their own, over the commands that make no call."""

from __future__ import annotations

import json

import pytest

from tests.cloud import in_process

ACCOUNT = "111122223333"
TEXT = """\
name: films
title: Films
regions: [us-west-2, eu-west-1]
parameters:
  aside: {default: eu-central-1}
  domain: {default: ''}
modules:
  - name: backend
    title: The backend
    steps:
      - {id: api, kind: cloudformation.stack, in: each, with: {name: api, template: api.yaml.j2}}
      - {id: edge, kind: cloudformation.stack, in: home, when: '{{ delegated }}', with: {name: edge, template: api.yaml.j2}}
      - {id: pool, kind: cloudformation.stack, in: '{{ aside }}', with: {name: pool, template: api.yaml.j2}}
"""


@pytest.fixture
def call(tmp_path):
    (tmp_path / "workshop.yaml").write_text(TEXT)
    (tmp_path / "api.yaml.j2").write_text("Resources: {A: {Type: 'AWS::SNS::Topic'}}")
    environment = {"PATH": "", "HOME": str(tmp_path), "WORKSHOP_HOME": str(tmp_path / "state"), "NO_COLOR": "1"}

    def run(*words):
        options = ["--workshop", ".", "--target", "aws", "--expect-account", ACCOUNT]
        return in_process.run([*words, *options], cwd=tmp_path, environment=environment, text="")

    return run


def test_the_policy_grants_what_the_region_of_a_step_of_its_own_takes(call):
    code, out, _ = call("policy", "--phase", "setup")
    resources = json.dumps(json.loads(out))
    assert code == 0
    assert f"arn:aws:cloudformation:eu-central-1:{ACCOUNT}:stack/pool/*" in resources
    assert "eu-central-1" in resources and "stack/edge/" not in resources, "a step that is off needs nothing"
    assert f"cloudformation:ap-south-1:{ACCOUNT}:stack/pool/*" in call("policy", "--param", "aside=ap-south-1")[1]


def test_a_region_that_was_given_and_is_none_is_wrong_usage_and_no_smaller_policy(call):
    code, out, err = call("policy", "--param", "aside=frankfurt")
    assert (code, out) == (2, "")
    assert "workshop.yaml:13: modules.backend.steps.pool.in: 'frankfurt' is not the name of a region" in err


def test_the_lines_of_a_step_are_those_of_its_own_region(call):
    code, out, _ = call("explain", "pool")
    assert code == 0 and "--region eu-central-1" in out and "us-west-2" not in out


def test_a_step_that_is_switched_off_is_in_no_list_of_lines_and_the_reason_is_named(call):
    assert "edge" not in call("explain")[1]
    code, _, err = call("explain", "edge")
    assert code == 2 and "The step edge is switched off" in err
    code, out, _ = call("explain", "edge", "--param", "domain=event.example.com")
    assert code == 0 and "--stack-name edge" in out
