"""A step kind is one file and one registration: this file is one, and goes through every command that works with steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pytest

from tests.cloud.shell import HOME_REGION, OTHER_REGION, REGIONS, Shell
from workshop.aws.client import AwsClient
from workshop.aws.errors import AwsError
from workshop.cli.main import run
from workshop.shell import aws_line
from workshop.steps import registry
from workshop.steps.base import (
    Context,
    Estimate,
    Observed,
    Outputs,
    Params,
    Permission,
    Phase,
    Resource,
    State,
    Step,
)
from workshop.steps.declarations import AccessProof, Quota, RenderedLimit, ResourceType, Service
from workshop.steps.ownership import observed_foreign, owner_of
from workshop.steps.settings import DataFile

pytestmark = pytest.mark.cloud

SSM = Service("ssm", AccessProof("describe_parameters", "ssm:DescribeParameters", {"MaxResults": 1}))
PARAMETER = ResourceType("parameter", "parameter", unique=True, usd_a_month=0.05, upkeep="an advanced parameter")
ACTIONS = {
    Phase.SETUP: ("GetParameter", "PutParameter", "AddTagsToResource", "ListTagsForResource"),
    Phase.TEARDOWN: ("GetParameter", "DeleteParameter", "ListTagsForResource"),
    Phase.CHECK: ("GetParameter", "ListTagsForResource"),
}


class ParameterQuota(Quota):
    """Parameters of a region, of which an account may have two here."""

    name = "parameters"
    what = "parameters"
    action = "ssm:PutParameter"
    service = "ssm"
    code = "L-EXAMPLE"
    default = 2
    actions = (("ssm:DescribeParameters", "*"),)

    async def used(self, aws: AwsClient, region: str) -> int:
        found = await aws.call("ssm", region, "describe_parameters")
        return sum(not parameter["Name"].startswith("/workshop/") for parameter in found["Parameters"])

    async def limit(self, aws: AwsClient, region: str) -> int:
        return self.default


class MottoParams(Params):
    """`name` of the parameter; its value is the content of `file`."""

    name: str
    file: Annotated[str, DataFile()]


class Motto(Step[MottoParams]):
    """One SSM parameter."""

    kind = "test.motto"
    summary = "a motto in the parameter store"
    Params = MottoParams
    estimate = Estimate(minutes=0.1, usd=0.01)
    services = (SSM,)
    resource_types = (PARAMETER,)
    noted_resources = frozenset({PARAMETER.name})
    quotas = (ParameterQuota(),)
    rendered_limit = RenderedLimit("value", 100, "Write a shorter motto")

    async def observe(self, ctx: Context[MottoParams]) -> Observed:
        value = await _value(ctx)
        if value is None:
            return Observed(State.ABSENT)
        owner = owner_of(ctx, await _tags(ctx, ctx.params.name))
        if not owner.ours:
            found = replace(_resource(ctx, ctx.params.name, ours=False), size=f"{len(value)} bytes", adoption="is overwritten")
            return observed_foreign(ctx, [found])
        outputs = {"Name": ctx.params.name}
        state = State.READY if value == _text(ctx) else State.PARTIAL
        return Observed(state, owner.detail, outputs, adopted=owner.adopted)

    async def adopt(self, ctx: Context[MottoParams], resource: Resource) -> None:
        await _tag(ctx, ctx.adoption_tags)

    async def create(self, ctx: Context[MottoParams]) -> Outputs:
        name = ctx.params.name
        ctx.notes.record(PARAMETER.name, name)
        await ctx.aws.call("ssm", ctx.region, "put_parameter", Name=name, Value=_text(ctx), Type="String", Overwrite=True)
        await _tag(ctx, ctx.tags)

        async def readable() -> bool:
            return await _value(ctx) == _text(ctx)

        await ctx.wait_until(readable, reason=f"the parameter {name} to be readable", deadline=30, interval=1)
        ctx.report.progress(f"wrote {name}")
        return {"Name": name}

    async def destroy(self, ctx: Context[MottoParams]) -> None:
        if await _value(ctx) is not None and await _is_ours(ctx, ctx.params.name):
            await ctx.aws.call("ssm", ctx.region, "delete_parameter", Name=ctx.params.name)
        ctx.notes.forget(PARAMETER.name, ctx.params.name)

    async def leftovers(self, ctx: Context[MottoParams]) -> list[Resource]:
        if await _value(ctx) is None:
            return []
        return [_resource(ctx, ctx.params.name, ours=await _is_ours(ctx, ctx.params.name))]

    async def tagged(self, ctx: Context[Any]) -> list[Resource]:
        found = await ctx.aws.call("ssm", ctx.region, "describe_parameters")
        names = [parameter["Name"] for parameter in found["Parameters"] if not parameter["Name"].startswith("/workshop/")]
        return [_resource(ctx, name, ours=True) for name in names if await _is_ours(ctx, name)]

    def commands(self, ctx: Context[MottoParams]) -> list[str]:
        name, value = ctx.params.name, f"file://{ctx.files.path(ctx.params.file)}"
        return [aws_line("ssm put-parameter", region=ctx.region, name=name, value=value, type="String")]

    def rendered(self, part: str, ctx: Context[MottoParams]) -> str | None:
        return _text(ctx) if part == "value" else None

    def permissions(self, ctx: Context[MottoParams]) -> list[Permission]:
        arn = f"arn:aws:ssm:{ctx.region}:{ctx.account}:parameter{ctx.params.name}"
        return [Permission(f"ssm:{name}", arn, ctx.region, phase) for phase, names in ACTIONS.items() for name in names]


def _text(ctx: Context[MottoParams]) -> str:
    return ctx.files.path(ctx.params.file).read_text().strip()


async def _value(ctx: Context[MottoParams]) -> str | None:
    try:
        found = await ctx.aws.call("ssm", ctx.region, "get_parameter", Name=ctx.params.name)
    except AwsError as error:
        if error.code == "ParameterNotFound":
            return None
        raise
    return str(found["Parameter"]["Value"])


async def _tag(ctx: Context[MottoParams], tags: Mapping[str, str]) -> None:
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    name = ctx.params.name
    await ctx.aws.call("ssm", ctx.region, "add_tags_to_resource", ResourceType="Parameter", ResourceId=name, Tags=pairs)


async def _tags(ctx: Context[Any], name: str) -> dict[str, str]:
    found = await ctx.aws.call("ssm", ctx.region, "list_tags_for_resource", ResourceType="Parameter", ResourceId=name)
    return {tag["Key"]: tag["Value"] for tag in found["TagList"]}


async def _is_ours(ctx: Context[Any], name: str) -> bool:
    return owner_of(ctx, await _tags(ctx, name)).ours


def _resource(ctx: Context[Any], name: str, *, ours: bool) -> Resource:
    fix = aws_line("ssm delete-parameter", region=ctx.region, name=name)
    return Resource(PARAMETER.name, name, ctx.region, fix=fix, ours=ours)


STEP = Motto()
NAME = "/mottos/today"
DEFINITION = f"""\
name: mottos
title: A motto in each region
regions: [{HOME_REGION}, {OTHER_REGION}]
modules:
  - name: mottos
    title: Write the mottos
    steps:
      - {{id: motto, kind: {STEP.kind}, in: each, with: {{name: {NAME}, file: motto.txt}}}}
"""
Workshop = Callable[..., dict[str, Any]]


@pytest.fixture
def mottos(clean: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Workshop]:
    """Runs a command on the workshop in this process, in which the kind is registered; returns its JSON document."""
    folder = clean.work / "mottos"
    folder.mkdir(exist_ok=True)
    (folder / "workshop.yaml").write_text(DEFINITION)
    (folder / "motto.txt").write_text("Festina lente\n")
    for name, value in clean.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(clean.work)
    registry.register(STEP)

    def command(*words: str, code: int = 0) -> dict[str, Any]:
        ended = run([*words, "--json"])
        streams = capsys.readouterr()
        assert ended == code, f"exit {ended}: {streams.out}{streams.err}"
        found: dict[str, Any] = json.loads(streams.out)
        return found

    yield command
    registry.unregister(STEP)


def names(shell: Shell, region: str) -> list[str]:
    """The parameters of a region but for the tool's own."""
    found = shell.client("ssm", region).describe_parameters()["Parameters"]
    return sorted(parameter["Name"] for parameter in found if not parameter["Name"].startswith("/workshop/"))


def test_it_is_part_of_the_schema_and_of_lint(mottos: Workshop, clean: Shell) -> None:
    assert STEP.kind in json.dumps(mottos("definition", "schema"))
    assert mottos("definition", "lint", "./mottos")["ok"]
    path = clean.work / "mottos" / "workshop.yaml"
    path.write_text(DEFINITION.replace("file: motto.txt", "file: moto.txt"))
    (problem,) = mottos("definition", "lint", "./mottos", code=2)["problems"]
    assert "moto.txt" in problem["what"]


def test_it_is_planned_made_once_and_removed(mottos: Workshop, clean: Shell) -> None:
    where = ("--workshop", "./mottos")
    assert len(mottos("setup", *where, "--plan")["steps"]) == len(REGIONS)
    assert names(clean, HOME_REGION) == []
    assert {step["outcome"] for step in mottos("setup", *where, "--yes")["steps"]} == {"created"}
    assert [names(clean, region) for region in REGIONS] == [[NAME], [NAME]]
    assert {step["outcome"] for step in mottos("setup", *where, "--yes")["steps"]} == {"unchanged"}
    assert {step["state"] for step in mottos("status", *where)["steps"]} == {"ready"}
    assert mottos("explain", "motto", *where)["ok"]
    removed = mottos("teardown", *where, "--yes")
    assert {step["outcome"] for step in removed["steps"]} == {"removed"}
    assert removed["leftovers"] == []
    assert [names(clean, region) for region in REGIONS] == [[], []]


def test_one_that_another_hand_made_stops_setup_until_it_is_adopted(mottos: Workshop, clean: Shell) -> None:
    where = ("--workshop", "./mottos")
    ssm = clean.client("ssm", OTHER_REGION)
    ssm.put_parameter(Name=NAME, Value="theirs", Type="String")
    refused = {step["region"]: step for step in mottos("setup", *where, "--yes", code=1)["steps"]}
    assert refused[OTHER_REGION]["error"]["code"] == "Foreign" and "6 bytes" in refused[OTHER_REGION]["error"]["why"]
    assert ssm.get_parameter(Name=NAME)["Parameter"]["Value"] == "theirs"
    adopted = {step["region"]: step["outcome"] for step in mottos("setup", *where, "--adopt", "--yes")["steps"]}
    assert adopted[OTHER_REGION] == "updated" and ssm.get_parameter(Name=NAME)["Parameter"]["Value"] == "Festina lente"
    assert mottos("teardown", *where, "--yes")["leftovers"] == [] and names(clean, OTHER_REGION) == []


def test_the_checks_read_what_it_declares(mottos: Workshop, clean: Shell) -> None:
    def found(check: str, region: str, code: int) -> tuple[str, str]:
        checks = mottos("check", "--workshop", "./mottos", "--skip", "machine", code=code)["checks"]
        result = {(each["id"], each["region"]): each for each in checks}[check, region]
        return result["status"], result["detail"]

    assert found("permissions.reads", HOME_REGION, 0) == ("pass", "ssm")
    assert found("quotas.parameters", HOME_REGION, 0) == ("pass", "0 of 2 in use, this workshop adds 1")
    assert "of 100 bytes" in found("definition.motto", "", 0)[1]
    for name in ("/mottos/one", "/mottos/two"):
        clean.client("ssm", OTHER_REGION).put_parameter(Name=name, Value="x", Type="String")
    assert found("quotas.parameters", OTHER_REGION, 3)[0] == "fail"


def test_the_policy_grants_what_it_declares(mottos: Workshop) -> None:
    statements = mottos("policy", "--workshop", "./mottos", "--phase", "setup")["Statement"]
    granted = [each for each in statements if "ssm:AddTagsToResource" in each["Action"]]
    assert any(f"parameter{NAME}" in resource for each in granted for resource in each["Resource"])


def test_a_sweep_finds_it_under_another_name_with_what_it_costs(mottos: Workshop, clean: Shell) -> None:
    where = ("--workshop", "./mottos", "--yes")
    mottos("setup", *where)
    tags = [{"Key": "workshop", "Value": "mottos"}]
    clean.client("ssm", OTHER_REGION).put_parameter(Name="/mottos/old", Value="x", Type="String", Tags=tags)
    removed = mottos("teardown", *where, "--sweep", code=5)
    (left,) = removed["leftovers"]
    assert (left["kind"], left["name"], left["region"]) == ("parameter", "/mottos/old", OTHER_REGION)
    receipt = json.loads(Path(removed["receipt"]).read_text())
    assert receipt["usd_a_month"] == PARAMETER.usd_a_month
    assert receipt["leftovers"][0]["upkeep"] == PARAMETER.upkeep


def test_a_name_that_is_taken_is_refused(mottos: Workshop) -> None:
    with pytest.raises(ValueError, match=r"test\.motto"):
        registry.register(Motto())
