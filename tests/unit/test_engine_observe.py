"""Asking what stands: nothing is changed, one failed question spoils no other, the first bad credentials end it."""

from __future__ import annotations

import pytest

from tests.unit.fakes.aws import refusal
from tests.unit.fakes.context import EU, HOME
from tests.unit.fakes.rehearsal import rehearsal
from workshop.aws.errors import CredentialsError
from workshop.steps.base import State


@pytest.fixture
def deployment(tmp_path):
    with rehearsal(tmp_path) as made:
        yield made


def states(points) -> dict[str, str]:
    return {name: point.observed.state.value for name, point in points.items()}


async def test_where_nothing_is_deployed_everything_is_absent(deployment):
    points = await deployment.status()
    assert set(states(points).values()) == {"absent"} and len(points) == 12
    assert points[f"ping {EU}"].observed.detail == "comes after api (eu-west-1)"
    assert deployment.aws.changes() == []


async def test_what_is_deployed_is_ready_in_every_region(deployment):
    await deployment.setup()
    deployment.aws.calls.clear()
    assert set(states(await deployment.status()).values()) == {"ready"}
    assert deployment.aws.changes() == []


async def test_what_is_missing_is_named_and_the_rest_stays_ready(deployment):
    await deployment.setup()
    del deployment.aws.cloudformation.stacks[0]
    missing = next(r for r in (HOME, EU) if deployment.aws.cloudformation.find(r, "global-serverless-api") is None)
    points = await deployment.status()
    assert points[f"api {missing}"].observed.state is points[f"ping {missing}"].observed.state is State.ABSENT
    assert points[f"table {HOME}"].observed.state is State.READY
    assert points["web global"].observed.state is State.PARTIAL, "its configuration names an API that is gone"


async def test_a_question_that_fails_is_told_and_the_others_are_answered(deployment):
    await deployment.setup()
    deployment.aws.refuse("describe_stacks", EU, refusal("AccessDenied", "not authorized", region=EU))
    points = await deployment.status()
    assert points[f"api {EU}"].observed.state is State.BROKEN and points[f"api {EU}"].error.code == "AccessDenied"
    assert points[f"ping {EU}"].observed.detail == "needs api (eu-west-1)"
    assert points[f"api {HOME}"].observed.state is points[f"data {HOME}"].observed.state is State.READY


async def test_bad_credentials_end_the_survey(deployment):
    deployment.aws.refuse("describe_table", HOME, refusal("ExpiredTokenException"))
    with pytest.raises(CredentialsError):
        await deployment.status()


async def test_a_table_with_other_keys_is_foreign_and_its_items_are_absent(deployment):
    deployment.aws.dynamodb.put(HOME, "global-serverless", {"id": "S"})
    points = await deployment.status()
    assert points[f"table {HOME}"].observed.state is State.FOREIGN
    assert points[f"data {HOME}"].observed.state is State.ABSENT
