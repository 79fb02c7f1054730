"""A fault is one file and one registration: this file is one, and goes through a drill, its report and its undo."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.drill.named_regions import NamedRegions, NamedSandbox
from tests.drill.regions import WEST, Died, DrillSandbox, Region, Regions
from workshop.cli.drill import command
from workshop.drill import registry
from workshop.drill.base import FaultContext, RegionFault
from workshop.drill.deployment import Deployment, RegionDeployment
from workshop.drill.pending import failed_regions
from workshop.drill.report import ReportHeader, Targets, judge, write_report
from workshop.drill.timeline import Milestone
from workshop.steps.base import Phase
from workshop.steps.cloudformation.permissions import stack_permissions
from workshop.steps.cloudformation.template import Declared
from workshop.steps.registry import kinds

EMPTY = "empty"
ANY: Any = None
"""The permissions of a health check are the same whatever its settings."""
VERBS = {"get": "GET", "create": "POST", "update": "PATCH", "delete": "DELETE"}


class EmptyStage(RegionFault):
    """The API's stage is pointed at a deployment without routes."""

    name = "empty-stage"
    summary = "the stage of the API is pointed at an empty deployment"
    permissions = ("apigateway:GET", "apigateway:PATCH")

    async def snapshot(self, context: FaultContext, deployment: Deployment, regional: RegionDeployment) -> str:
        return await _active(context, regional.region)

    def plan(self, regional: RegionDeployment, snapshot: str) -> str:
        return f"The stage in {regional.region} is pointed from {snapshot} to {EMPTY} and back."

    async def inject(self, context: FaultContext, regional: RegionDeployment, snapshot: str) -> None:
        await _activate(context, regional.region, EMPTY)

    async def undo(self, context: FaultContext, region: str, snapshot: str) -> str:
        await _activate(context, region, snapshot)
        return f"{region}: the stage is at {await _active(context, region)} again."


FAULT = EmptyStage()


async def _active(context: FaultContext, region: str) -> str:
    return str((await context.aws.call("apigateway", region, "get_stage", restApiId="api", stageName="stage"))["deploymentId"])


async def _activate(context: FaultContext, region: str, deployment: str) -> None:
    patch = [{"op": "replace", "path": "/deploymentId", "value": deployment}]
    await context.aws.call("apigateway", region, "update_stage", restApiId="api", stageName="stage", patchOperations=patch)


class Staged(Regions):
    """An API whose empty deployment fails every request."""

    def _update_stage(self, here: Region, region: str, patchOperations: Any, **_: Any) -> dict[str, Any]:
        here.down = "status 403: Missing Authentication Token" if patchOperations[0]["value"] == EMPTY else ""
        return super()._update_stage(here, region, patchOperations)


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DrillSandbox:
    monkeypatch.setitem(registry.FAULTS, EmptyStage.name, __name__)
    return DrillSandbox(tmp_path, Staged())


async def test_it_is_drilled_reported_and_reverted(sandbox: DrillSandbox) -> None:
    before = sandbox.settings()
    result = await sandbox.drill("empty-stage")
    sandbox.assert_restored(before)
    verdict = judge(result, Targets())
    assert verdict.ok
    assert result.figures.outage.rto is not None
    assert f"{WEST}: the stage is at d0 again." in [undone.text for undone in result.restored]
    header = ReportHeader("w", "local", "000000000000", "1 March 2026")
    page = write_report(sandbox.folder / "reports", result, Targets(), verdict, header).html.read_text()
    assert EmptyStage.summary in page
    assert "The stage in us-west-2 is pointed from d0 to empty and back." in page


async def test_it_is_reverted_by_the_next_process_after_a_kill(sandbox: DrillSandbox) -> None:
    before = sandbox.settings()
    sandbox.kill_at(Milestone.SWITCHED)
    with pytest.raises(Died):
        await sandbox.drill("empty-stage")
    later = sandbox.next_process()
    (failed,) = failed_regions(later.folder, later.journal, later.undo_log.scope)
    assert (failed.region, failed.fault) == (WEST, "empty-stage")
    await later.undo_log.undo_all(later.context, later.undo_log.pending())
    later.assert_restored(before)


@pytest.mark.parametrize(("name", "module"), registry.FAULTS.items())
def test_a_fault_is_registered_under_its_own_name(name: str, module: str) -> None:
    fault = importlib.import_module(module).FAULT
    assert fault.name == name
    assert registry.undoable_named(name) is fault


@pytest.mark.parametrize(("name", "module"), registry.UNDOS.items())
def test_an_undo_of_something_else_is_registered_under_its_own_name(name: str, module: str) -> None:
    undoable = importlib.import_module(module).UNDO
    assert undoable.name == name
    assert registry.undoable_named(name) is undoable


@pytest.mark.parametrize("verb", ["run", "fail"])
def test_the_command_line_offers_every_fault(verb: str) -> None:
    (option,) = (option for option in command.commands[verb].params if option.name == "fault")
    assert list(option.type.choices) == list(registry.FAULTS)


def test_the_help_offers_the_faults_without_loading_them() -> None:
    program = (
        "import sys\nfrom workshop.cli.main import run\nrun(['drill', 'run', '--help'])\n"
        "print(sorted(name for name in sys.modules if name.startswith(('workshop.drill.faults', 'pydantic', 'boto3'))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert f"[{'|'.join(registry.FAULTS)}]" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", registry.FAULTS)
async def test_a_fault_declares_the_permissions_of_exactly_the_calls_that_it_makes(tmp_path: Path, name: str) -> None:
    sandbox = NamedSandbox(tmp_path, NamedRegions()) if name == "withdraw" else DrillSandbox(tmp_path, Regions(health=True))
    fault, deployment = registry.fault_named(name), sandbox.deployment
    snapshot = await fault.snapshot(sandbox.context, deployment, deployment.in_region(WEST))
    await fault.inject(sandbox.context, deployment.in_region(WEST), snapshot)
    await fault.undo(sandbox.context, WEST, snapshot)
    sandbox.regions.state[WEST].reserved = {"fn": 0}
    await fault.undo(sandbox.context, WEST, snapshot)  # also back to a number
    made = {_action(service, operation) for service, operation in sandbox.regions.calls if service != "dynamodb"}
    assert made == set(registry.fault_named(name).permissions)


def test_the_policy_of_the_drill_phase_grants_what_the_faults_declare() -> None:
    resources = [Declared("Fn", "AWS::Lambda::Function", "fn"), Declared("Api", "AWS::ApiGateway::RestApi", "api")]
    permissions = [*stack_permissions("111122223333", WEST, "stack", resources), *kinds()["route53.health"].permissions(ANY)]
    granted = {p.action for p in permissions if p.phase is Phase.DRILL}
    declared = {action for name in registry.FAULTS for action in registry.fault_named(name).permissions}
    reading = {action for action in granted if action.startswith("cloudformation:")} | {"lambda:GetFunction"}
    assert granted - reading == declared


def _action(service: str, operation: str) -> str:
    """The IAM action of a call; API Gateway's are HTTP verbs."""
    verb, *rest = operation.split("_")
    if service == "apigateway":
        return f"apigateway:{VERBS[verb]}"
    return f"{service}:{''.join(word.capitalize() for word in (verb, *rest))}"
