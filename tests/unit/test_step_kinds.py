"""What every step kind has: a name, a summary, settings that refuse typing mistakes, an estimate."""

from __future__ import annotations

import botocore.session
import pytest
from pydantic import ValidationError

from workshop.definition.builtins import builtin_names
from workshop.definition.loader import load
from workshop.steps.base import Placement, Resource
from workshop.steps.registry import kinds, noted_resources, quotas, resource_type, services

KINDS = kinds()
TYPES = {each.name for step in KINDS.values() for each in step.resource_types}


@pytest.mark.parametrize("name", list(KINDS))
def test_a_kind_describes_itself(name):
    step = KINDS[name]
    assert step.kind == name and step.summary and step.placements <= frozenset(Placement)
    assert step.estimate.minutes > 0 and step.estimate.usd >= 0


@pytest.mark.parametrize("name", list(KINDS))
def test_a_typing_mistake_in_the_settings_of_a_kind_is_refused(name):
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        KINDS[name].Params.model_validate({"nmae": "x"})


def test_the_built_in_workshops_use_every_kind():
    assert {step.kind for name in builtin_names() for step in load(name).definition.steps()} == set(KINDS)


def test_the_registry_cannot_be_changed_by_its_users():
    with pytest.raises(TypeError):
        KINDS["my.kind"] = KINDS["http.check"]


def test_two_reports_of_one_thing_are_the_same_whatever_they_say_about_it():
    one, other = Resource("table", "films", "us-west-2", why="x"), Resource("table", "films", "us-west-2", fix="y")
    assert one.identity == other.identity != Resource("table", "films", "eu-west-1").identity


@pytest.mark.parametrize("service", services().values(), ids=lambda service: service.name)
def test_a_declared_proof_of_access_is_a_read_that_the_service_has(service):
    client = botocore.session.Session().create_client(
        service.name, region_name="us-west-2", aws_access_key_id="x", aws_secret_access_key="x"
    )
    assert service.proof is not None
    assert service.proof.operation.startswith(("list_", "describe_", "get_"))
    assert hasattr(client, service.proof.operation)


def test_what_is_unique_or_costs_something_is_declared_by_the_kinds_that_leave_it():
    assert {name for name in TYPES if resource_type(name).unique} == {
        "table", "stack", "function", "log-group", "bucket", "custom-domain", "access-control", "headers-policy",
    }  # fmt: skip
    assert {name for name in TYPES if resource_type(name).usd_a_month} == {
        "table", "log-group", "bucket", "hosted-zone", "health-check", "app-client",
    }  # fmt: skip
    assert resource_type("something of a kind that there is not") is None


def test_two_kinds_that_make_the_same_sort_of_resource_declare_it_alike():
    for name in TYPES:
        assert len({each for step in KINDS.values() for each in step.resource_types if each.name == name}) == 1


def test_the_notes_that_mean_that_something_may_exist_are_those_of_what_the_kinds_make():
    assert noted_resources() == {"table", "replica", "stack", "hosted-zone", "health-check"}


def test_no_two_quotas_have_one_name():
    names = [quota.name for quota in quotas()]
    assert sorted(names) == sorted(set(names)) == [
        "certificates", "custom-domains", "distributions", "health-checks", "hosted-zones", "rest-apis", "roles", "stacks",
        "tables", "user-pools",
    ]  # fmt: skip
