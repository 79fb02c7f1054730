"""The fault `health`: the environment variable STATUS, with which a function says how well it is, is set to 400.

Only that one variable is remembered and put back, so that no secret of the function ever reaches the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from workshop.aws.errors import AwsError
from workshop.clock import wait_for
from workshop.drill.fault import Fault, Means, already, refusal
from workshop.drill.scene import Place, Scene
from workshop.errors import WorkshopError

__all__ = ["Health"]

VARIABLE, SICK = "STATUS", "400"
UPDATE_SECONDS = 120.0


class Memory(BaseModel):
    """Each function's STATUS before the drill."""

    functions: Mapping[str, str]


class Health(Fault):
    """Every function of the region's API that has the variable."""

    name = "health"
    summary = "the functions' environment variable STATUS is set to 400"

    async def remember(self, means: Means, scene: Scene, place: Place) -> str:  # noqa: ARG002
        before: dict[str, str] = {}
        for function in place.functions:
            value = _variables(await _configuration(means, place.region, function)).get(VARIABLE)
            if value == SICK:
                raise already(
                    place.region, f"{VARIABLE} of {function} is {SICK}, and the journal knows of no drill that set it.",
                    "Set it back in the console of Lambda.",
                )  # fmt: skip
            if value is not None:
                before[function] = value
        if not before or place.health is None:
            lacks = f"no function with an environment variable {VARIABLE}" if not before else "no route /health that shows it"
            raise refusal(
                self.name, place.region, f"This workshop's API has {lacks}.", "Use the fault throttle: workshop drill run"
            )
        return Memory(functions=before).model_dump_json()

    def plan(self, place: Place, memory: str) -> str:
        parts = [
            f"{name} from {value} to {SICK} and back" for name, value in Memory.model_validate_json(memory).functions.items()
        ]
        return f"In {place.region} the variable {VARIABLE} of {', of '.join(parts)}."

    async def inject(self, means: Means, place: Place, memory: str) -> None:
        for function in Memory.model_validate_json(memory).functions:
            await _set(means, place.region, function, SICK)

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


async def _restore(means: Means, region: str, function: str, before: str) -> str:
    now = _variables(await _settled(means, region, function)).get(VARIABLE)
    if now not in (SICK, before):
        return f"{VARIABLE} of {function} was set to {now!r} by somebody else since, and stays so"
    if now != before:
        await _set(means, region, function, before)
    if _variables(await _settled(means, region, function)).get(VARIABLE) != before:
        raise WorkshopError(
            f"{function} in {region} is not as it was.", f"Its variable {VARIABLE} should be {before} again.",
            "Try again: workshop drill recover", code="NotRestored",
        )  # fmt: skip
    return f"{VARIABLE} of {function} is {before} again, read back"


async def _set(means: Means, region: str, function: str, value: str) -> None:
    """Change the one variable and wait until the function answers with it; an update replaces all variables at once."""
    variables = {**_variables(await _settled(means, region, function)), VARIABLE: value}
    await means.aws.call(
        "lambda", region, "update_function_configuration", FunctionName=function, Environment={"Variables": variables}
    )
    await _settled(means, region, function)


async def _settled(means: Means, region: str, function: str) -> Mapping[str, Any]:
    """The configuration once no update is in progress: during one, the next is refused (docs/aws-behaviours.md, section 4)."""

    async def done() -> Mapping[str, Any] | None:
        found = await _configuration(means, region, function)
        return None if found.get("LastUpdateStatus") == "InProgress" else found

    return await wait_for(
        done, clock=means.clock, reason=f"the update of {function}", deadline=UPDATE_SECONDS, interval=2.0,
        waiting=lambda _reason, _seconds: None,
    )  # fmt: skip


async def _configuration(means: Means, region: str, function: str) -> Mapping[str, Any]:
    return await means.aws.call("lambda", region, "get_function_configuration", FunctionName=function)


def _variables(configuration: Mapping[str, Any]) -> dict[str, str]:
    return dict(configuration.get("Environment", {}).get("Variables", {}))
