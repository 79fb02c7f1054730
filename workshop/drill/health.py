"""The fault `health`: the environment variable STATUS, with which a function says how well it is, is set to 400.

Only that one variable is remembered and put back, so that no secret of the function ever reaches the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workshop.clock import wait_for
from workshop.drill.fault import Means, already, refusal
from workshop.drill.function_setting import FunctionSetting, Memory, Value
from workshop.drill.scene import Place, Scene

__all__ = ["Health"]

VARIABLE, SICK = "STATUS", "400"
UPDATE_SECONDS = 120.0


class Health(FunctionSetting):
    """Every function of the region's API that has the variable."""

    name = "health"
    summary = "the functions' environment variable STATUS is set to 400"
    setting = f"the variable {VARIABLE}"
    failing = SICK

    async def remember(self, means: Means, scene: Scene, place: Place) -> str:  # noqa: ARG002
        every = {function: await self.read(means, place.region, function) for function in place.functions}
        before = {function: value for function, value in every.items() if value is not None}
        for function in (name for name, value in before.items() if value == SICK):
            raise already(
                place.region, f"{VARIABLE} of {function} is {SICK}, and the journal knows of no drill that set it.",
                "Set it back in the console of Lambda.",
            )  # fmt: skip
        if not before or place.health is None:
            lacks = f"no function with an environment variable {VARIABLE}" if not before else "no route /health that shows it"
            raise refusal(
                self.name, place.region, f"This workshop's API has {lacks}.", "Use the fault throttle: workshop drill run"
            )
        return Memory(functions=before).model_dump_json()

    async def read(self, means: Means, region: str, function: str) -> Value:
        return _variables(await _settled(means, region, function)).get(VARIABLE)

    async def write(self, means: Means, region: str, function: str, value: Value) -> None:
        """Change the one variable and wait until the function answers with it; an update replaces all variables at once."""
        variables = {**_variables(await _settled(means, region, function)), VARIABLE: str(value)}
        await means.aws.call(
            "lambda", region, "update_function_configuration", FunctionName=function, Environment={"Variables": variables}
        )
        await _settled(means, region, function)


async def _settled(means: Means, region: str, function: str) -> Mapping[str, Any]:
    """The configuration once no update is in progress: during one, the next is refused (docs/aws-behaviours.md, section 4)."""

    async def done() -> Mapping[str, Any] | None:
        found = await means.aws.call("lambda", region, "get_function_configuration", FunctionName=function)
        return None if found.get("LastUpdateStatus") == "InProgress" else found

    return await wait_for(
        done, clock=means.clock, reason=f"the update of {function}", deadline=UPDATE_SECONDS, interval=2.0,
        waiting=lambda _reason, _seconds: None,
    )  # fmt: skip


def _variables(configuration: Mapping[str, Any]) -> dict[str, str]:
    return dict(configuration.get("Environment", {}).get("Variables", {}))
