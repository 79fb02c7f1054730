"""The fault `throttle`: reserved concurrency 0, so that Lambda rejects every call. Module 3 of the workshop does it by hand.

Zero reserves nothing, so it is accepted where the account's limit leaves nothing to reserve; where there was no setting it is
removed by delete, because putting any number would reserve (docs/aws-behaviours.md, section 4).
"""

from __future__ import annotations

from workshop.drill.base import FaultContext, already_failing
from workshop.drill.deployment import Deployment, RegionDeployment
from workshop.drill.faults.function_setting import FunctionSetting, FunctionSnapshot, Value
from workshop.shell import aws_line

__all__ = ["FAULT", "Throttle"]


class Throttle(FunctionSetting):
    """Every function behind the region's API."""

    name = "throttle"
    summary = "the functions' reserved concurrency is set to 0 (what the Throttle button of the console does)"
    permissions = ("lambda:GetFunctionConcurrency", "lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency")
    setting = "the reserved concurrency"
    failing = 0

    async def snapshot(self, context: FaultContext, deployment: Deployment, regional: RegionDeployment) -> str:  # noqa: ARG002
        before = {function: await self.read(context, regional.region, function) for function in regional.functions}
        for function in (name for name, value in before.items() if value == self.failing):
            raise already_failing(
                regional.region,
                why=f"The reserved concurrency of {function} is 0, and the journal has no drill that set it.",
                fix="If it is not meant to be: "
                + aws_line("lambda delete-function-concurrency", region=regional.region, function_name=function),
            )
        return FunctionSnapshot(functions=before).model_dump_json()

    async def read(self, context: FaultContext, region: str, function: str) -> Value:
        response = await context.aws.call("lambda", region, "get_function_concurrency", FunctionName=function)
        value = response.get("ReservedConcurrentExecutions")
        return None if value is None else int(value)

    async def write(self, context: FaultContext, region: str, function: str, value: Value) -> None:
        if value is None:
            await context.aws.call("lambda", region, "delete_function_concurrency", FunctionName=function)
        else:
            await context.aws.call(
                "lambda", region, "put_function_concurrency", FunctionName=function, ReservedConcurrentExecutions=value
            )

    def for_people(self, value: Value) -> str:
        return "unreserved" if value is None else str(value)


FAULT = Throttle()
