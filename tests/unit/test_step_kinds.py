"""What every step kind owes: a name, a summary, settings that refuse typing mistakes, an estimate."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from workshop.definition.loader import load
from workshop.steps.base import Placement, Resource
from workshop.steps.registry import kinds

KINDS = kinds()


@pytest.mark.parametrize("name", list(KINDS))
def test_a_kind_describes_itself(name):
    step = KINDS[name]
    assert step.kind == name and step.summary and step.placements <= frozenset(Placement)
    assert step.estimate.minutes > 0 and step.estimate.usd >= 0


@pytest.mark.parametrize("name", list(KINDS))
def test_a_typing_mistake_in_the_settings_of_a_kind_is_refused(name):
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        KINDS[name].Params.model_validate({"nmae": "x"})


def test_the_built_in_workshop_uses_every_kind():
    assert {step.kind for step in load("global-serverless").definition.steps()} == set(KINDS)


def test_the_registry_cannot_be_changed_by_its_users():
    with pytest.raises(TypeError):
        KINDS["my.kind"] = KINDS["http.check"]


def test_two_reports_of_one_thing_are_the_same_whatever_they_say_about_it():
    one, other = Resource("table", "films", "us-west-2", why="x"), Resource("table", "films", "us-west-2", fix="y")
    assert one.identity == other.identity != Resource("table", "films", "eu-west-1").identity
