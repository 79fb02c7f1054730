"""Where a step runs and what it waits for: the plan and lint read the same table."""

from __future__ import annotations

import pytest

from tests.unit.definition_builders import KINDS, steps, workshop
from workshop.definition.lint import lint
from workshop.definition.placement import GLOBAL, Places, by_region, needed_regions, node_regions
from workshop.engine.plan import build
from workshop.steps.base import Placement

REGIONS = ("us-west-2", "eu-west-1", "ap-south-1")


@pytest.mark.parametrize(
    ("placement", "regions"),
    [
        (Placement.HOME, ("us-west-2",)),
        (Placement.REPLICAS, ("eu-west-1", "ap-south-1")),
        (Placement.EACH, REGIONS),
        (Placement.GLOBAL, (GLOBAL,)),
    ],
)
def test_a_placement_is_a_choice_of_regions_of_which_the_first_is_home(placement, regions):
    assert node_regions(placement, REGIONS) == regions


def test_outputs_are_kept_by_region_where_a_step_runs_in_several():
    assert [placement for placement in Placement if by_region(placement)] == [Placement.REPLICAS, Placement.EACH]


@pytest.mark.parametrize("need", Placement)
@pytest.mark.parametrize("step", Placement)
def test_only_between_two_steps_in_each_region_a_region_waits_for_itself_alone(need, step):
    alone = need is step is Placement.EACH
    assert needed_regions(need, step, "eu-west-1", REGIONS) == (("eu-west-1",) if alone else node_regions(need, REGIONS))


@pytest.mark.parametrize("need", ["home", "each", "global"])
@pytest.mark.parametrize("step", ["home", "replicas", "each", "global"])
def test_lint_accepts_an_output_exactly_where_the_plan_waits_for_it(tmp_path, need, step):
    read = "steps.first[regions[1]].Id" if need == "each" else "steps.first.Id"
    first = f"{{id: first, kind: http.check, in: {need}, with: {{url: x}}}}"
    second = f"{{id: second, kind: http.check, in: {step}, needs: [first], with: {{url: '{{{{ {read} }}}}'}}}}"
    found = workshop(tmp_path, steps(first, second))
    plan = build(found.definition, {"1": Places(found.definition.regions)})
    region = "eu-west-1" if need == "each" else GLOBAL if need == "global" else "us-west-2"
    waits = all(
        any((key.step, key.region) == ("first", region) for key in node.needs) for node in plan.nodes if node.key.step == "second"
    )
    assert (lint(str(tmp_path), KINDS) == []) is waits
