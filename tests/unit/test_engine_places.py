"""Steps that are switched off, and steps with a region of their own: what runs where, and what is still found and removed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.fakes.aws import ACCOUNT, refusal
from tests.unit.fakes.context import EU, HOME
from tests.unit.fakes.rehearsal import rehearsal
from workshop.console.plan import show_plan
from workshop.console.report import PlanReport
from workshop.definition.conditions import places
from workshop.definition.loader import load
from workshop.engine.discover import RegionSearch, with_discovered_regions
from workshop.engine.workspace import Contexts
from workshop.errors import DefinitionError
from workshop.steps.base import State

ASIDE, OTHER = "eu-central-1", "ap-south-1"
TEXT = """\
name: films
title: Films
regions: [us-west-2, eu-west-1]
parameters:
  edge: {default: 'yes'}
  aside: {default: eu-central-1}
modules:
  - name: backend
    title: The backend
    steps:
      - {id: api, kind: cloudformation.stack, in: each, with: {name: api, template: api.yaml.j2}}
      - {id: edge, kind: cloudformation.stack, in: each, needs: [api], when: '{{ edge }}', with: {name: edge, template: p.j2}}
      - {id: last, kind: cloudformation.stack, in: home, needs: [edge], with: {name: last, template: api.yaml.j2}}
  - name: identity
    title: Somewhere else
    steps:
      - {id: pool, kind: cloudformation.stack, in: '{{ aside }}', needs: [api], with: {name: pool, template: pool.yaml.j2}}
      - {id: user, kind: cloudformation.stack, in: home, needs: [pool], with: {name: user, template: user.yaml.j2}}
"""


@pytest.fixture
def films(tmp_path):
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "workshop.yaml").write_text(TEXT)
    (folder / "api.yaml.j2").write_text("Resources: {A: {Type: 'AWS::SNS::Topic'}}")
    (folder / "p.j2").write_text("Resources: {A: {Type: 'AWS::SNS::Topic'}}")
    (folder / "pool.yaml.j2").write_text("Resources: {A: {Type: 'AWS::SNS::Topic'}}\n# {{ region }} {{ home }} {{ regions[1] }}")
    (folder / "user.yaml.j2").write_text("Resources: {A: {Type: 'AWS::SNS::Topic'}}\n# {{ steps.pool.ApiId }}")
    with rehearsal(tmp_path, str(folder)) as made:
        yield made


def outcomes(results):
    return {name: result.outcome.value for name, result in results.items()}


def alive(films):
    return sorted(
        f"{stack.name} {stack.region}" for stack in films.aws.cloudformation.stacks if stack.status != "DELETE_COMPLETE"
    )


async def test_a_step_that_is_switched_off_is_in_no_setup_and_what_needs_it_goes_on(films):
    films.parameters = {"edge": "no"}
    await films.check()
    results = await films.setup(through="backend")
    assert outcomes(results) == {f"api {HOME}": "created", f"api {EU}": "created", f"last {HOME}": "created"}
    assert set(await films.status()) == {f"api {HOME}", f"api {EU}", f"last {HOME}", f"pool {ASIDE}", f"user {HOME}"}


async def test_what_needs_a_step_that_is_off_reads_what_that_one_needed_and_does_not_wait_for_it(films):
    folder = Path(films.source)
    (folder / "last.yaml.j2").write_text("Resources: {A: {Type: 'AWS::SNS::Topic'}}\n# {{ steps.api['us-west-2'].ApiId }}")
    text = (folder / "workshop.yaml").read_text()
    (folder / "workshop.yaml").write_text(
        text.replace("{name: last, template: api.yaml.j2}", "{name: last, template: last.yaml.j2}")
    )
    films.parameters = {"edge": "no"}
    await films.check()
    await films.setup(through="backend")

    def unreadable(call):
        if call.parameters.get("StackName") == "edge":
            raise refusal("InternalError", status=500)

    films.aws.watch = unreadable
    points = await films.status()
    assert points[f"last {HOME}"].observed.state is State.READY and points[f"edge {HOME}"].error is not None


async def test_what_an_earlier_setup_made_of_a_step_that_is_off_now_is_shown_and_removed_before_what_it_needed(films):
    await films.setup(through="backend")
    films.parameters = {"edge": "no"}
    point = (await films.status())[f"edge {EU}"]
    assert point.observed.state is State.READY and "of an earlier setup" in point.observed.detail and point.node.former
    results, left = await films.teardown()
    assert outcomes(results)[f"edge {EU}"] == "removed" and left == [] and alive(films) == []
    ended = [name for name in films.finished() if name.split()[0] in ("api", "edge", "last")]
    assert ended[-5:][0] == f"last {HOME}" and {name.split()[0] for name in ended[-2:]} == {"api"}


async def test_what_is_off_is_looked_for_although_what_it_needed_cannot_be_read(films):
    await films.setup(through="backend")
    films.parameters = {"edge": "no"}
    films.aws.refuse("describe_stacks", EU, refusal("InternalFailure"))
    points = await films.status()
    assert points[f"api {EU}"].error is not None
    assert points[f"edge {EU}"].observed.state is State.READY


async def test_a_plan_tells_its_minutes_without_the_steps_that_are_off_and_left_nothing(films, capsys):
    """`last` needs `edge`, which is not among what is shown."""
    films.parameters = {"edge": "no"}
    await films.setup(through="backend")
    points = (await films.status()).values()
    assert "edge" not in {point.node.key.step for point in points}
    report = PlanReport(
        command="teardown", workshop="films", target="local", account=ACCOUNT, identity="", regions=(HOME, EU),
        points=tuple(points),
    )  # fmt: skip
    show_plan(report, json=True)
    assert json.loads(capsys.readouterr().out)["minutes"] == 2.0, "three stacks, none of which waits for another"


async def test_without_a_journal_what_is_switched_off_is_removed_too(films):
    await films.setup(through="backend")
    films.lose_the_journal()
    films.parameters = {"edge": "no"}
    _, left = await films.teardown()
    assert left == [] and alive(films) == []


async def test_what_others_have_under_the_names_of_a_step_that_is_off_is_none_of_our_business(films):
    films.aws.cloudformation.put(EU, "edge", "CREATE_COMPLETE")
    films.parameters = {"edge": "no"}
    await films.setup(through="backend")
    assert f"edge {EU}" not in await films.status()
    results, left = await films.teardown()
    assert outcomes(results)[f"edge {EU}"] == "skipped" and left == [] and alive(films) == [f"edge {EU}"]


async def test_that_it_is_denied_to_look_for_what_no_setup_here_made_keeps_no_teardown_from_its_end(films):
    films.parameters = {"edge": "no"}
    await films.setup(through="backend")

    def deny(call):
        if call.operation.startswith("describe_stack") and call.parameters.get("StackName") == "edge":
            raise refusal("AccessDenied", "not allowed", status=403)

    films.aws.watch = deny
    results, left = await films.teardown()
    assert left == [] and alive(films) == [] and outcomes(results)[f"edge {EU}"] == "skipped"


async def test_that_it_is_denied_to_look_for_what_a_setup_here_made_is_no_clean_end(films):
    await films.setup(through="backend")
    films.parameters = {"edge": "no"}

    def deny(call):
        if call.operation.startswith("describe_stack") and call.parameters.get("StackName") == "edge":
            raise refusal("AccessDenied", "not allowed", status=403)

    films.aws.watch = deny
    results, left = await films.teardown()
    assert outcomes(results)[f"edge {EU}"] == "failed" and {(each.kind, each.name) for each in left} >= {("unknown", "edge")}


async def test_a_step_with_a_region_of_its_own_runs_there_and_knows_home_and_regions_as_all_others_do(films):
    results = await films.setup()
    assert results[f"pool {ASIDE}"].outcome.value == "created"
    assert f"# {ASIDE} {HOME} {EU}" in films.aws.cloudformation.find(ASIDE, "pool").template
    assert "# apieucentral1" in films.aws.cloudformation.find(HOME, "user").template, "its outputs are not kept by region"
    workspace = films.workspace()
    assert workspace.settings.regions == (HOME, EU) and workspace.everywhere() == (HOME, EU, ASIDE)
    _, left = await films.teardown()
    assert left == [] and alive(films) == []


@pytest.mark.parametrize("lost", [False, True])
async def test_what_is_left_in_another_region_by_an_earlier_value_is_found_and_removed(films, lost):
    await films.setup()
    films.parameters = {"aside": OTHER}
    workspace = films.workspace()
    if lost:
        films.lose_the_journal()
        search = RegionSearch([HOME, EU, ASIDE, OTHER])
        workspace = await with_discovered_regions(films.workspace(), search, films.heard)
    assert workspace.settings.regions == (HOME, EU), "no other step runs there"
    assert workspace.everywhere(former=True) == (HOME, EU, OTHER, ASIDE)
    results, left = await films.teardown(of=workspace)
    assert outcomes(results)[f"pool {ASIDE}"] == "removed" and outcomes(results)[f"pool {OTHER}"] == "absent"
    assert left == [] and alive(films) == []


async def test_a_region_that_a_parameter_spells_wrong_is_found_before_anything_is_made(films):
    films.parameters = {"aside": "frankfurt"}
    with pytest.raises(DefinitionError, match="'frankfurt' is not the name of a region") as caught:
        films.workspace().plan()
    assert caught.value.where.endswith("workshop.yaml:17") and caught.value.field == "modules.identity.steps.pool.in"


@pytest.mark.parametrize(
    ("value", "runs"), [("true", True), ("Yes", True), ("1", True), ("", False), ("False", False), ("no", False), ("0", False)]
)
def test_a_condition_is_a_word_for_true_or_false(films, value, runs):
    films.parameters = {"edge": value}
    assert ("edge" in {node.key.step for node in films.workspace().plan().nodes}) is runs


def test_a_module_that_is_switched_off_has_no_step_that_runs(films, tmp_path):
    path = tmp_path / "films" / "workshop.yaml"
    path.write_text(TEXT.replace("title: Somewhere else", "title: Somewhere else\n    when: '{{ delegated }}'"))
    definition = load(str(path)).definition
    plan = films.workspace().plan_variables("111122223333")
    assert places(definition, plan).off == {"pool", "user"}
    assert places(definition, {**plan, "delegated": True}).off == frozenset()
    assert places(definition, plan).everywhere() == (HOME, EU)
    assert places(definition, plan).everywhere(former=True) == (HOME, EU, ASIDE)


def test_an_output_of_a_step_that_is_off_is_missing_and_blank_for_a_teardown(films):
    films.parameters = {"edge": "no"}
    workspace = films.workspace()
    (node,) = (node for node in workspace.plan(former=True).nodes if node.key.step == "edge" and node.key.region == EU)
    assert node.former and Contexts(workspace, films.heard).variables(node)["steps"]["edge"] == {}
