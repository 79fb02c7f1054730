"""The fault `health`: the environment variable STATUS, from which a function takes the status of /health, is set to 400.

Only that one variable is in the snapshot and restored, so that no secret of the function ever reaches the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workshop.drill.base import FaultContext, already_failing, not_possible
from workshop.drill.deployment import Deployment, RegionDeployment
from workshop.drill.faults.function_setting import FunctionSetting, FunctionSnapshot, Value
from workshop.waiting import wait_for

__all__ = ["FAULT", "Health"]

VARIABLE = "STATUS"
UNHEALTHY = "400"
UPDATE_SECONDS = 120.0


class Health(FunctionSetting):
    """Every function of the region's API that has the variable."""

    name = "health"
    summary = "the functions' environment variable STATUS is set to 400"
    permissions = ("lambda:GetFunctionConfiguration", "lambda:UpdateFunctionConfiguration")
    setting = f"the variable {VARIABLE}"
    failing = UNHEALTHY

    async def snapshot(self, context: FaultContext, deployment: Deployment, regional: RegionDeployment) -> str:  # noqa: ARG002
        every = {function: await self.read(context, regional.region, function) for function in regional.functions}
        before = {function: value for function, value in every.items() if value is not None}
        for function in (name for name, value in before.items() if value == UNHEALTHY):
            raise already_failing(
                regional.region,
                why=f"{VARIABLE} of {function} is {UNHEALTHY}, and the journal has no drill that set it.",
                fix="Set it back in the console of Lambda.",
            )
        if not before or regional.health is None:
            lacks = f"no function with an environment variable {VARIABLE}" if not before else "no route /health that shows it"
            raise not_possible(
                self.name,
                regional.region,
                why=f"This workshop's API has {lacks}.",
                fix=f"Use the fault throttle: {context.commands.throttle(regional.region)}",
            )
        return FunctionSnapshot(functions=before).model_dump_json()

    async def read(self, context: FaultContext, region: str, function: str) -> Value:
        return _variables(await _idle_configuration(context, region, function)).get(VARIABLE)

    async def write(self, context: FaultContext, region: str, function: str, value: Value) -> None:
        """Change the one variable and wait until the update is complete; an update replaces all variables at once."""
        variables = {**_variables(await _idle_configuration(context, region, function)), VARIABLE: str(value)}
        await context.aws.call(
            "lambda", region, "update_function_configuration", FunctionName=function, Environment={"Variables": variables}
        )
        await _idle_configuration(context, region, function)


async def _idle_configuration(context: FaultContext, region: str, function: str) -> Mapping[str, Any]:
    """The configuration once no update is in progress: during one, the next is rejected (docs/aws-behaviours.md, section 4)."""

    async def idle() -> Mapping[str, Any] | None:
        found = await context.aws.call("lambda", region, "get_function_configuration", FunctionName=function)
        return None if found.get("LastUpdateStatus") == "InProgress" else found

    return await wait_for(
        idle,
        reason=f"the update of {function}",
        deadline=UPDATE_SECONDS,
        interval=2.0,
        waiting=lambda _reason, _seconds: None,
    )


def _variables(configuration: Mapping[str, Any]) -> dict[str, str]:
    return dict(configuration.get("Environment", {}).get("Variables", {}))


FAULT = Health()
