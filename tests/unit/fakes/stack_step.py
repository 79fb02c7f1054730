"""The stack step over a CloudFormation in virtual time: its template, what stands already, and what was asked of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.unit.fakes.cloudformation import FakeStack
from tests.unit.fakes.context import HOME, OURS, StepSandbox
from workshop.steps.base import Context
from workshop.steps.cloudformation.stack import CloudFormationStack, StackParams

__all__ = ["LOGS", "RENDERED", "STEP", "TEMPLATE", "asked", "maker", "standing"]

STEP = CloudFormationStack()
TEMPLATE = """\
# {{ settings.name }} in {{ region }}
Resources:
  Handler:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: films-dev, Role: !GetAtt Role.Arn}
  Role:
    Type: AWS::IAM::Role
  Logs:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: /aws/lambda/films-dev}
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: films}
"""
RENDERED = TEMPLATE.replace("{{ settings.name }}", "films").replace("{{ region }}", HOME)
LOGS = (HOME, "/aws/lambda/films-dev")


def maker(sandbox: StepSandbox, folder: Path) -> Callable[..., Context[StackParams]]:
    """Makes the step's context; `template` replaces the template in `folder` first."""

    def context(
        *,
        template: str = TEMPLATE,
        parameters: dict[str, str] | None = None,
        remedies: dict[str, dict[str, str]] | None = None,
        **more: Any,
    ) -> Context[StackParams]:
        (folder / "api.yaml.j2").write_text(template, encoding="utf-8")
        params = StackParams(name="films", template="api.yaml.j2", parameters=parameters or {}, remedies=remedies or {})
        return sandbox.context(params, folder=folder, variables={"region": HOME}, **more)

    return context


def standing(sandbox: StepSandbox, status: str = "CREATE_COMPLETE", **more: Any) -> FakeStack:
    """A stack of ours that stands already."""
    return sandbox.aws.cloudformation.put(HOME, "films", status, **{"template": RENDERED, "tags": dict(OURS), **more})


def asked(sandbox: StepSandbox, operation: str) -> int:
    """How often an operation was called."""
    return len(sandbox.aws.made(operation))
