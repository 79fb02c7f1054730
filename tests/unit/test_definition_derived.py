"""The variables that are known before the first step: the zone of a workshop, and whether resolvers find it."""

from __future__ import annotations

import pytest

from tests.unit.definition_builders import steps, workshop, write
from workshop.definition.derived import plan_variables
from workshop.definition.lint import lint
from workshop.definition.parameters import Settings
from workshop.definition.variables import RESERVED

ACCOUNT = "123456789012"
CHECK = "{id: check, kind: http.check, in: home, with: {url: 'http://api.{{ zone_name }}/{{ 1 if delegated else 0 }}'}}"


@pytest.mark.parametrize(
    ("name", "parameters", "target", "zone", "delegated"),
    [
        ("multi-region-backend", {}, "local", "backend.localhost", True),
        ("wild-rydes", {"domain": ""}, "local", "rydes.localhost", True),
        ("films", {}, "local", "films.localhost", True),
        ("multi-region-backend", {"zone": "mine"}, "local", "mine.localhost", True),
        ("multi-region-backend", {"domain": "Event.Example.COM."}, "local", "event.example.com", True),
        ("multi-region-backend", {"domain": "event.example.com"}, "aws", "event.example.com", True),
        ("multi-region-backend", {"domain": ""}, "aws", f"multi-region-backend-{ACCOUNT}.example.net", False),
        ("multi-region-backend", {"zone": "mine"}, "aws", f"multi-region-backend-{ACCOUNT}.example.net", False),
    ],
)
def test_the_zone_follows_from_domain_target_and_account(tmp_path, name, parameters, target, zone, delegated):
    definition = workshop(tmp_path, steps(CHECK).replace("name: films", f"name: {name}")).definition
    found = plan_variables(definition, Settings(parameters, ("us-west-2",)), target, ACCOUNT)
    assert (found["zone_name"], found["delegated"]) == (zone, delegated)


def test_templates_see_both_and_no_parameter_may_have_their_names(tmp_path):
    assert lint(str(write(tmp_path, steps(CHECK)))) == []
    assert {"zone_name", "delegated"} <= set(RESERVED)
    text = steps(CHECK).replace("modules:\n", "  delegated: {default: x}\nmodules:\n")
    assert [problem.field for problem in lint(str(write(tmp_path, text)))] == ["parameters.delegated"]
