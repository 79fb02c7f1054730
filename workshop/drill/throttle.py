"""The fault `throttle`: reserved concurrency 0, so that Lambda refuses every call. Module 3 of the workshop does it by hand.

Zero reserves nothing, so it is accepted where the account's limit leaves nothing to reserve; where there was no setting it is
taken away by delete, because putting any number would reserve (docs/aws-behaviours.md, section 4).
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from workshop.aws.errors import AwsError
from workshop.clock import wait_for
from workshop.drill.fault import Fault, Means, already
from workshop.drill.scene import Place, Scene
from workshop.errors import WorkshopError

__all__ = ["Throttle"]

READ_BACK_SECONDS = 60.0


class Memory(BaseModel):
    """Each function's reserved concurrency before the drill; None where there was no setting."""

    functions: Mapping[str, int | None]


class Throttle(Fault):
    """Every function behind the region's API."""

    name = "throttle"
    summary = "the functions' reserved concurrency is set to 0 (what the Throttle button of the console does)"

    async def remember(self, means: Means, scene: Scene, place: Place) -> str:  # noqa: ARG002
        before: dict[str, int | None] = {}
        for function in place.functions:
            before[function] = await _reserved(means, place.region, function)
            if before[function] == 0:
                raise already(
                    place.region, f"The reserved concurrency of {function} is 0, and the journal knows of no drill that set it.",
                    f"If nobody needs that: aws lambda delete-function-concurrency --region {place.region}"
                    f" --function-name {function}",
                )  # fmt: skip
        return Memory(functions=before).model_dump_json()

    def plan(self, place: Place, memory: str) -> str:
        before = Memory.model_validate_json(memory).functions
        parts = [f"{name} from {_said(value)} to 0 and back" for name, value in before.items()]
        return f"In {place.region} the reserved concurrency of {', of '.join(parts)}."

    async def inject(self, means: Means, place: Place, memory: str) -> None:
        for function in Memory.model_validate_json(memory).functions:
            await means.aws.call(
                "lambda", place.region, "put_function_concurrency", FunctionName=function, ReservedConcurrentExecutions=0
            )

    async def undo(self, means: Means, region: str, memory: str) -> str:
        said = []
        for function, before in Memory.model_validate_json(memory).functions.items():
            try:
                said.append(await _restore(means, region, function, before))
            except AwsError as error:
                if error.code != "ResourceNotFoundException":
                    raise
                said.append(f"{function} is gone")
        return f"{region}: {'; '.join(said)}."


async def _restore(means: Means, region: str, function: str, before: int | None) -> str:
    now = await _reserved(means, region, function)
    if now not in (0, before):
        return f"{function} was set to {_said(now)} by somebody else since, and stays so"
    if now != before:
        if before is None:
            await means.aws.call("lambda", region, "delete_function_concurrency", FunctionName=function)
        else:
            await means.aws.call(
                "lambda", region, "put_function_concurrency", FunctionName=function, ReservedConcurrentExecutions=before
            )

    async def restored() -> bool | None:
        return True if await _reserved(means, region, function) == before else None

    try:
        await wait_for(
            restored, clock=means.clock, reason=f"{function} to be as it was", deadline=READ_BACK_SECONDS, interval=2.0,
            waiting=lambda _reason, _seconds: None,
        )  # fmt: skip
    except WorkshopError as error:
        raise WorkshopError(
            f"{function} in {region} is not as it was.", f"Its reserved concurrency should be {_said(before)} again.",
            "Try again: workshop drill recover", code="NotRestored",
        ) from error  # fmt: skip
    return f"the reserved concurrency of {function} is {_said(before)} again, read back"


async def _reserved(means: Means, region: str, function: str) -> int | None:
    answer = await means.aws.call("lambda", region, "get_function_concurrency", FunctionName=function)
    value = answer.get("ReservedConcurrentExecutions")
    return None if value is None else int(value)


def _said(value: int | None) -> str:
    return "unreserved" if value is None else str(value)
