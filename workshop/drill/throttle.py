"""The fault `throttle`: reserved concurrency 0, so that Lambda refuses every call. Module 3 of the workshop does it by hand.

Zero reserves nothing, so it is accepted where the account's limit leaves nothing to reserve; where there was no setting it is
taken away by delete, because putting any number would reserve (docs/aws-behaviours.md, section 4).
"""

from __future__ import annotations

from workshop.drill.fault import Means, already
from workshop.drill.function_setting import FunctionSetting, Memory, Value
from workshop.drill.scene import Place, Scene
from workshop.shell import aws_line

__all__ = ["Throttle"]


class Throttle(FunctionSetting):
    """Every function behind the region's API."""

    name = "throttle"
    summary = "the functions' reserved concurrency is set to 0 (what the Throttle button of the console does)"
    setting = "the reserved concurrency"
    failing = 0

    async def remember(self, means: Means, scene: Scene, place: Place) -> str:  # noqa: ARG002
        before = {function: await self.read(means, place.region, function) for function in place.functions}
        for function in (name for name, value in before.items() if value == self.failing):
            raise already(
                place.region, f"The reserved concurrency of {function} is 0, and the journal knows of no drill that set it.",
                "If nobody needs that: "
                + aws_line("lambda delete-function-concurrency", region=place.region, function_name=function),
            )  # fmt: skip
        return Memory(functions=before).model_dump_json()

    async def read(self, means: Means, region: str, function: str) -> Value:
        answer = await means.aws.call("lambda", region, "get_function_concurrency", FunctionName=function)
        value = answer.get("ReservedConcurrentExecutions")
        return None if value is None else int(value)

    async def write(self, means: Means, region: str, function: str, value: Value) -> None:
        if value is None:
            await means.aws.call("lambda", region, "delete_function_concurrency", FunctionName=function)
        else:
            await means.aws.call(
                "lambda", region, "put_function_concurrency", FunctionName=function, ReservedConcurrentExecutions=value
            )

    def said(self, value: Value) -> str:
        return "unreserved" if value is None else str(value)
