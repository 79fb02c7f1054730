"""A claim that machines see: renewed while its holder works, given up when somebody took over, taken over once only."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.unit.fakes.virtual_time import VirtualClock
from workshop.aws.claim import claimed, clear_lapsed, parameter_name
from workshop.aws.errors import AwsError
from workshop.errors import WorkshopError

NAME = parameter_name("films")


def refusal(code: str) -> AwsError:
    return AwsError(code, "", service="ssm", operation="Call", region="us-west-2", status=400)


class Parameters:
    """SSM's parameters, as far as a claim needs them."""

    account = "111122223333"

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.writes = 0

    async def call(self, service, region, operation, **given):
        await asyncio.sleep(0)
        name = given["Name"]
        if operation == "put_parameter":
            if name in self.values and not given.get("Overwrite"):
                raise refusal("ParameterAlreadyExists")
            self.values[name], self.writes = given["Value"], self.writes + 1
            return {}
        if name not in self.values:
            raise refusal("ParameterNotFound")
        if operation == "delete_parameter":
            del self.values[name]
            return {}
        return {"Parameter": {"Value": self.values[name]}}


def claim(door: Parameters, notices: list[str], command: str = "setup"):
    return claimed(door, "us-west-2", "films", command, clock=VirtualClock(), notice=notices.append)


def by_another_machine(door: Parameters, **more: str) -> None:
    door.values[NAME] = json.dumps({**json.loads(door.values[NAME]), "token": "other", "machine": "other", "host": "far", **more})


async def test_a_claim_is_renewed_while_its_holder_works_and_removed_at_the_end():
    door, notices = Parameters(), []
    async with claim(door, notices):
        first = json.loads(door.values[NAME])["until"]
        await asyncio.sleep(400)
        assert json.loads(door.values[NAME])["until"] > first
    assert door.values == {} and notices == []


async def test_a_second_holder_is_told_who_is_at_work():
    door = Parameters()
    async with claim(door, [], "setup"):
        by_another_machine(door)
        with pytest.raises(WorkshopError) as caught:
            async with claim(door, [], "teardown"):
                pytest.fail("both are at work")
        assert caught.value.code == "Busy" and "far" in caught.value.why and "setup" in caught.value.why


async def test_a_holder_whose_claim_was_taken_over_says_so_and_leaves_it_to_the_other():
    door, notices, told = Parameters(), [], []
    async with claim(door, notices) as held:
        held.listen(told.append)
        by_another_machine(door, command="teardown")
        writes = door.writes
        await asyncio.sleep(400)
        assert door.writes == writes
        held.listen(told.append)
    assert [error.code for error in told] == ["TakenOver", "TakenOver"] and told[0] is held.lost
    assert len(notices) == 1 and "@far took films over with workshop teardown, so this run stops" in notices[0]
    assert json.loads(door.values[NAME])["token"] == "other"


async def test_only_a_claim_that_nobody_holds_any_more_is_cleared():
    door, clock = Parameters(), VirtualClock()
    assert await clear_lapsed(door, "us-west-2", "films", clock=clock) is None
    async with claim(door, []):
        by_another_machine(door)
        holder = await clear_lapsed(door, "us-west-2", "films", clock=clock)
        assert holder is not None and holder.host == "far" and NAME in door.values
        by_another_machine(door, until="2000-01-01T00:00:00+00:00")
        assert await clear_lapsed(door, "us-west-2", "films", clock=clock) is None
        assert door.values == {}


async def test_a_claim_that_lapsed_is_taken_over_with_a_word():
    door, notices = Parameters(), []
    async with claim(door, []):
        pass
    async with claim(door, []):
        lapsed = {"until": "2000-01-01T00:00:00+00:00"}
        by_another_machine(door, **lapsed)
        async with claim(door, notices, "teardown"):
            assert json.loads(door.values[NAME])["command"] == "teardown"
    assert any("Taking over from" in text for text in notices)
