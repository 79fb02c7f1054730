"""Health checks in virtual time: rhythm, thresholds, the share that decides, calculated and alarm checks, faults, restarts."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from workshop.cloud.events import EventBus
from workshop.cloud.fault_model import CloudFault, checked_fault
from workshop.cloud.fault_registry import FaultRegistry, ServiceCall
from workshop.cloud.names.checks import CheckConfig
from workshop.cloud.names.health import HealthChecks
from workshop.cloud.names.probing import UNREACHED, CheckTarget, ProbeResult
from workshop.cloud.regions import CHECKER_REGIONS
from workshop.cloud.scheduler import LoopDriver, Scheduler
from workshop.cloud.timing import Timing
from workshop.errors import UsageError

GOOD = ProbeResult(True, "Success: HTTP Status Code 200, OK", 0.001, 0.02)
BAD = ProbeResult(False, "Failure: HTTP Status Code 503, Service Unavailable", 0.001, 0.02)
HOUR = 3600.0
Endpoint = Callable[[CheckTarget], ProbeResult]


class World:
    """Health checks in the running loop's virtual time. `endpoint` returns what a request ends with, after `seconds`."""

    def __init__(self, *checks: CheckConfig, profile: str = "realistic", seed: int = 1, saved: str | None = None) -> None:
        self.checks = {check.id: check for check in checks}
        self.endpoint: Endpoint = lambda _: GOOD
        self.seconds = 0.0
        self.alarms: dict[str, str] = {}
        self.requests: list[tuple[float, CheckTarget]] = []
        self.published: list[tuple[str, str, str, float, str]] = []
        self.saves = 0
        self.timing = Timing(profile, 1.0)
        self.faults = FaultRegistry(lambda name: name, lambda _: [], random.Random(seed), EventBus())
        scheduler = Scheduler(asyncio.get_running_loop().time)
        self.health = HealthChecks(
            scheduler,
            self.timing,
            self._probe,
            lambda: self.checks,
            lambda *value: self.published.append(value),
            self.faults,
            chance=random.Random(seed),
            alarm=lambda check: self.alarms.get(check.alarm[1], "INSUFFICIENT_DATA"),
            on_change=self._save,
        )
        LoopDriver(scheduler, lambda: None).attach()
        self.health.restore(json.loads(saved) if saved else {})

    async def _probe(self, target: CheckTarget) -> ProbeResult:
        self.requests.append((asyncio.get_running_loop().time(), target))
        result = self.endpoint(target)
        await asyncio.sleep(self.seconds)
        return result

    def _save(self) -> None:
        self.saves += 1

    def change(self, check: CheckConfig) -> None:
        self.checks = {**self.checks, check.id: check}
        self.health.changed()

    def delete(self, check: str) -> None:
        self.checks = {name: each for name, each in self.checks.items() if name != check}
        self.health.changed()

    async def until(self, condition: Callable[[], bool], within: float = HOUR) -> float:
        """Let time pass until the condition holds; returns how long that took."""
        began = asyncio.get_running_loop().time()
        while not condition():
            passed = asyncio.get_running_loop().time() - began
            assert passed < within, f"did not come true within {within} s"
            await asyncio.sleep(0.05)
        return asyncio.get_running_loop().time() - began


def check(name: str = "c1", kind: str = "HTTPS", **more: Any) -> CheckConfig:
    return CheckConfig(name, "000000000000", kind, host="api.example", interval=more.pop("interval", 10), **more)


async def test_a_new_check_is_healthy_before_the_first_request_and_an_inverted_one_is_not():
    world = World(check(), check("c2", inverted=True))
    assert world.health.healthy("c1") and not world.health.healthy("c2")
    assert world.health.observations("c1") == [] and world.requests == []


async def test_a_check_that_does_not_exist_counts_as_healthy():
    assert World().health.healthy("gone")


@pytest.mark.parametrize("threshold", [1, 3, 5])
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_detection_and_recovery_take_as_long_as_interval_and_threshold_say(threshold, seed):
    world = World(check(threshold=threshold), seed=seed)
    await asyncio.sleep(60)
    for result, healthy in ((BAD, False), (GOOD, True)):
        world.endpoint = lambda _, result=result: result
        took = await world.until(lambda healthy=healthy: world.health.healthy("c1") is healthy)
        assert 10 * (threshold - 1) <= took <= 10 * (threshold + 1)
        await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("profile", "seconds", "checkers"),
    [("realistic", 10.0, 16), ("fast", 1.0, 3), ("instant", 0.1, 3)],
)
async def test_the_profile_decides_the_interval_and_the_number_of_checkers(profile, seconds, checkers):
    world = World(check(), profile=profile)
    await asyncio.sleep(seconds * 10.5)
    assert len(world.health.observations("c1")) == checkers
    assert checkers * 10 <= len(world.requests) <= checkers * 11
    if profile == "realistic":
        places = Counter(target.region for _, target in world.requests[:16])
        assert places == dict.fromkeys(CHECKER_REGIONS, 2)


async def test_checkers_have_addresses_and_moments_of_their_own():
    world = World(check())
    await asyncio.sleep(10)
    assert len({target.ip for _, target in world.requests}) == len({when for when, _ in world.requests}) == 16
    assert {seen.ip for seen in world.health.observations("c1")} == {target.ip for _, target in world.requests}


async def test_the_next_request_comes_one_interval_after_the_response():
    world = World(check(regions=("us-east-1",)))
    world.seconds = 4.0
    await asyncio.sleep(100)
    mine = [when for when, target in world.requests if target.ip == world.requests[0][1].ip]
    assert {round(after - before, 1) for before, after in itertools.pairwise(mine)} == {14.0}


async def test_only_the_regions_that_a_check_names_send_requests():
    world = World(check(regions=("us-east-1", "eu-west-1", "sa-east-1")))
    await asyncio.sleep(20)
    assert {target.region for _, target in world.requests} == {"us-east-1", "eu-west-1", "sa-east-1"}
    assert len(world.health.observations("c1")) == 6


@pytest.mark.parametrize(("failing", "healthy"), [(0, True), (13, True), (14, False), (16, False)])
async def test_a_check_is_healthy_while_more_than_18_percent_of_its_checkers_say_so(failing, healthy):
    world = World(check(threshold=2))
    await asyncio.sleep(11)
    struck = {seen.ip for seen in world.health.observations("c1")[:failing]}
    world.endpoint = lambda target: BAD if target.ip in struck else GOOD
    await asyncio.sleep(60)
    assert world.health.healthy("c1") is healthy
    assert world.health.percentage("c1") == pytest.approx(100 * (16 - failing) / 16)


async def test_one_healthy_checker_of_three_is_enough():
    world = World(check(threshold=1), profile="fast")
    await asyncio.sleep(2)
    spared = world.health.observations("c1")[0].ip
    world.endpoint = lambda target: GOOD if target.ip == spared else BAD
    await asyncio.sleep(5)
    assert world.health.healthy("c1")
    world.endpoint = lambda _: BAD
    assert await world.until(lambda: not world.health.healthy("c1")) <= 2


async def test_fewer_failures_in_a_row_than_the_threshold_change_nothing():
    world = World(check(threshold=3))
    seen = Counter[str]()

    def two_of_three(target: CheckTarget) -> ProbeResult:
        seen[target.ip] += 1
        return GOOD if seen[target.ip] % 3 == 0 else BAD

    world.endpoint = two_of_three
    for _ in range(300):
        await asyncio.sleep(1)
        assert world.health.percentage("c1") == 100


async def test_a_disabled_check_sends_nothing_and_is_healthy_or_unhealthy_when_inverted():
    world = World(check(disabled=True), check("c2", disabled=True, inverted=True))
    world.endpoint = lambda _: BAD
    await asyncio.sleep(120)
    assert world.requests == []
    assert world.health.healthy("c1") and not world.health.healthy("c2")
    world.change(check())
    await world.until(lambda: not world.health.healthy("c1"), 60)


async def test_a_check_that_changed_without_a_word_is_noticed_within_a_minute():
    world = World(check())
    world.checks = {"c1": check(disabled=True), "c2": check("c2")}
    await asyncio.sleep(71)
    world.requests.clear()
    await asyncio.sleep(30)
    assert {target.check.id for _, target in world.requests} == {"c2"}


async def test_an_inverted_check_is_healthy_while_its_endpoint_fails():
    world = World(check(inverted=True))
    world.endpoint = lambda _: BAD
    await world.until(lambda: world.health.healthy("c1"), 60)


async def test_a_deleted_check_sends_nothing_any_more():
    world = World(check(), check("c2"))
    await asyncio.sleep(20)
    world.delete("c1")
    await asyncio.sleep(0.1)
    world.requests.clear()
    await asyncio.sleep(60)
    assert {target.check.id for _, target in world.requests} == {"c2"}


async def test_an_update_applies_to_the_requests_that_follow_and_keeps_what_is_known():
    world = World(check())
    world.endpoint = lambda _: BAD
    await world.until(lambda: not world.health.healthy("c1"))
    world.change(replace(check(), path="/other"))
    await asyncio.sleep(0.1)
    assert not world.health.healthy("c1")
    world.requests.clear()
    await asyncio.sleep(11)
    assert {target.check.path for _, target in world.requests} == {"/other"}
    assert len(world.requests) in range(16, 33)


async def test_regions_can_be_changed_without_a_false_recovery():
    world = World(check(regions=("us-east-1", "us-west-1", "us-west-2")))
    world.endpoint = lambda _: BAD
    await world.until(lambda: not world.health.healthy("c1"))
    world.change(check(regions=("eu-west-1", "sa-east-1", "ap-southeast-1")))
    for _ in range(100):
        await asyncio.sleep(0.5)
        assert not world.health.healthy("c1")
    assert {seen.region for seen in world.health.observations("c1")} == {"eu-west-1", "sa-east-1", "ap-southeast-1"}


async def test_a_change_of_the_profile_brings_as_many_checkers_as_it_has_and_keeps_the_status():
    world = World(check(), profile="fast")
    world.endpoint = lambda _: BAD
    await world.until(lambda: not world.health.healthy("c1"))
    world.timing.change("realistic", 1.0)
    for _ in range(100):
        await asyncio.sleep(0.5)
        assert not world.health.healthy("c1")
    world.requests.clear()
    await asyncio.sleep(50)
    assert set(Counter(target.ip for _, target in world.requests).values()) <= {4, 5, 6}, "nobody asks twice as often"
    assert len(world.health.observations("c1")) == 16


async def test_what_a_checker_saw_last_and_its_last_failure_are_reported_with_their_times():
    world = World(check(), profile="fast")
    world.endpoint = lambda _: BAD
    await asyncio.sleep(3)
    world.endpoint = lambda _: GOOD
    turned = asyncio.get_running_loop().time()
    await asyncio.sleep(3)
    seen, failures = world.health.observations("c1"), world.health.observations("c1", "last_failure")
    assert {each.status for each in seen} == {GOOD.text} and {each.status for each in failures} == {BAD.text}
    assert all(each.checked > turned for each in seen) and all(each.checked <= turned for each in failures)
    assert [(each.region, each.ip) for each in seen] == [(each.region, each.ip) for each in failures]


async def test_a_checker_goes_on_when_its_request_breaks():
    world = World(check(threshold=1), profile="fast")

    def broken(_: CheckTarget) -> ProbeResult:
        raise RuntimeError("broken")

    world.endpoint = broken
    await world.until(lambda: not world.health.healthy("c1"), 10)
    world.endpoint = lambda _: GOOD
    await world.until(lambda: world.health.healthy("c1"), 10)


@pytest.mark.parametrize(
    ("threshold", "sick", "healthy"),
    [(2, 0, True), (2, 1, True), (2, 2, False), (1, 2, True), (1, 3, False), (0, 3, True), (4, 0, False)],
)
async def test_a_calculated_check_is_healthy_while_enough_of_its_children_are(threshold, sick, healthy):
    names = ("a", "b", "c")
    children = [check(name) for name in names]
    world = World(*children, check("sum", "CALCULATED", children=names, health_threshold=threshold))
    world.endpoint = lambda target: BAD if target.check.id in names[:sick] else GOOD
    await asyncio.sleep(60)
    assert world.health.healthy("sum") is healthy


async def test_calculated_checks_can_have_calculated_children_and_never_count_themselves():
    world = World(
        check("a"),
        check("inner", "CALCULATED", children=("a",), health_threshold=1, inverted=True),
        check("outer", "CALCULATED", children=("inner", "outer"), health_threshold=1),
    )
    assert not world.health.healthy("outer")
    world.endpoint = lambda _: BAD
    await world.until(lambda: world.health.healthy("outer"), 60)
    world.delete("inner")
    await world.until(lambda: not world.health.healthy("outer"), 1)


@pytest.mark.parametrize(
    ("insufficient", "states", "expected"),
    [
        ("Healthy", ["OK", "ALARM", "INSUFFICIENT_DATA"], [True, False, True]),
        ("Unhealthy", ["OK", "ALARM", "INSUFFICIENT_DATA"], [True, False, False]),
        ("LastKnownStatus", ["INSUFFICIENT_DATA", "ALARM", "INSUFFICIENT_DATA", "OK"], [True, False, False, True]),
        ("LastKnownStatus", ["OK", "INSUFFICIENT_DATA"], [True, True]),
    ],
)
async def test_an_alarm_decides_and_without_data_what_the_check_says(insufficient, states, expected):
    world = World(check(kind="CLOUDWATCH_METRIC", alarm=("us-east-1", "errors"), insufficient=insufficient))
    found = []
    for state in states:
        world.alarms["errors"] = state
        await asyncio.sleep(11)
        found.append(world.health.healthy("c1"))
    assert found == expected and world.requests == []
    assert world.saves == sum(before is not after for before, after in itertools.pairwise([True, *expected]))


async def test_a_restart_keeps_status_streaks_and_observations():
    world = World(check(threshold=3), check("c2", threshold=3), check("c3", "CLOUDWATCH_METRIC", alarm=("us-east-1", "e")))
    world.alarms["e"] = "ALARM"
    world.endpoint = lambda target: BAD if target.check.id == "c1" else GOOD
    await world.until(lambda: not world.health.healthy("c1"))
    world.endpoint = lambda _: BAD
    await asyncio.sleep(15)
    assert world.health.healthy("c2")
    saved, seen = json.dumps(world.health.document()), world.health.observations("c1")
    again = World(*world.checks.values(), saved=saved)
    assert not again.health.healthy("c1") and again.health.healthy("c2") and not again.health.healthy("c3")
    assert again.health.observations("c1") == seen
    again.endpoint = lambda _: BAD
    assert await again.until(lambda: not again.health.healthy("c2")) <= 20, "the failures before the restart count"


async def test_a_document_that_was_not_taken_up_yet_is_saved_again_as_it_was():
    world = World(check(), profile="fast")
    world.endpoint = lambda _: BAD
    await world.until(lambda: not world.health.healthy("c1"))
    saved = json.dumps(world.health.document())
    assert json.dumps(World(check(), saved=saved).health.document()) == saved


async def test_a_restart_is_worth_a_save_only_when_a_checker_learned_something():
    world = World(check(threshold=2), profile="fast")
    await asyncio.sleep(30)
    assert world.saves == 0
    world.endpoint = lambda _: BAD
    await world.until(lambda: not world.health.healthy("c1"))
    learned = world.saves
    assert learned >= 6
    await asyncio.sleep(30)
    assert world.saves == learned


async def test_after_a_reset_nothing_is_known_and_nothing_is_sent():
    world = World(check(), profile="fast")
    await asyncio.sleep(3)
    world.checks = {}
    world.health.clear()
    world.requests.clear()
    await asyncio.sleep(30)
    assert world.requests == [] and world.published == [each for each in world.published if each[1] == "c1"]
    assert world.health.document() == {}
    world.change(check("c9"))
    await world.until(lambda: len(world.health.observations("c9")) == 3, 5)


async def test_metrics_say_status_and_share_and_the_times_where_they_are_measured():
    world = World(
        check(measures_latency=True),
        check("c2"),
        check("c3", "TCP"),
        check("sum", "CALCULATED", children=("c1", "c2"), health_threshold=2),
    )
    struck = {"us-east-1", "us-west-1", "us-west-2", "eu-west-1"}
    world.endpoint = lambda target: BAD if target.check.id == "c2" and target.region in struck else GOOD
    await asyncio.sleep(125)
    found = {(name, metric): (value, unit) for _, name, metric, value, unit in world.published}
    assert found["c1", "HealthCheckStatus"] == found["c2", "HealthCheckStatus"] == (1.0, "None")
    assert found["c1", "HealthCheckPercentageHealthy"] == (100.0, "Percent")
    assert found["c2", "HealthCheckPercentageHealthy"] == (50.0, "Percent")
    assert found["sum", "ChildHealthCheckHealthyCount"] == (2.0, "None") and found["sum", "HealthCheckStatus"] == (1.0, "None")
    assert found["c1", "ConnectionTime"] == (1.0, "Milliseconds") and found["c1", "TimeToFirstByte"] == (20.0, "Milliseconds")
    assert ("c3", "ConnectionTime") in found and ("c2", "ConnectionTime") not in found
    assert {account for account, *_ in world.published} == {"000000000000"}
    assert Counter(name for _, name, metric, *_ in world.published if metric == "HealthCheckStatus")["c1"] == 2


async def test_blind_checkers_fail_without_a_request_and_a_few_of_them_change_nothing():
    world = World(check(threshold=1))
    world.faults.add(CloudFault("checkers-blind", count=13))
    await asyncio.sleep(60)
    assert world.health.healthy("c1") and world.health.percentage("c1") == 100 * 3 / 16
    assert len({target.ip for _, target in world.requests}) == 3
    world.faults.add(CloudFault("checkers-blind", count=14))
    await world.until(lambda: not world.health.healthy("c1"), 20)
    world.faults.clear()
    await world.until(lambda: world.health.healthy("c1"), 20)


async def test_checkers_of_one_region_or_of_one_check_can_be_blind():
    world = World(check(threshold=1), check("c2", threshold=1))
    world.faults.add(CloudFault("checkers-blind", region="eu-west-1", check="c1"))
    await asyncio.sleep(60)
    assert {target.region for _, target in world.requests if target.check.id == "c1"} == {*CHECKER_REGIONS} - {"eu-west-1"}
    assert (world.health.percentage("c1"), world.health.percentage("c2")) == (87.5, 100)


async def test_a_fault_of_checkers_ends_after_so_many_requests_and_counts_them():
    world = World(check(threshold=1), profile="fast")
    world.faults.add(CloudFault("checkers-blind", times=2))
    await asyncio.sleep(10)
    assert [seen.status for seen in world.health.observations("c1", "last_failure")] == [UNREACHED.text] * 2
    assert len(world.faults) == 0


def registry() -> FaultRegistry:
    return FaultRegistry(lambda name: name, lambda _: [], random.Random(1), EventBus())


@pytest.mark.parametrize("kind", ["checkers-blind", "checker-noise"])
def test_faults_of_checkers_hit_no_call_of_a_service(kind):
    faults = registry()
    faults.add(CloudFault(kind))
    assert list(faults.matching(ServiceCall("dynamodb", "PutItem", "us-west-2", "json"))) == []


def test_checkers_can_be_blind_only_where_there_are_some():
    with pytest.raises(UsageError) as refused:
        registry().add(CloudFault("checkers-blind", region="eu-central-1"))
    assert "eu-west-1" in refused.value.why
    with pytest.raises(UsageError):
        checked_fault(CloudFault("checkers-blind", count=17))


async def flaps(threshold: int, seed: int, profile: str) -> int:
    """How often the status of a check changes in half an hour with five percent of noise."""
    world = World(check(threshold=threshold), profile=profile, seed=seed)
    world.faults.add(CloudFault("checker-noise", probability=0.05))
    changes, before = 0, True
    step = 0.5 if profile == "realistic" else 0.05
    for _ in range(int(1800 * step / 0.5 / step)):
        await asyncio.sleep(step)
        changes += world.health.healthy("c1") is not before
        before = world.health.healthy("c1")
    return changes


@pytest.mark.parametrize("profile", ["realistic", "fast"])
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_noise_of_five_percent_flaps_at_a_threshold_of_one_and_never_at_three(profile, seed):
    assert await flaps(1, seed, profile) >= 6
    assert await flaps(3, seed, profile) == 0


async def test_noise_can_be_about_one_check():
    world = World(check(threshold=1), check("c2", threshold=1), profile="fast")
    world.faults.add(CloudFault("checker-noise", check="c1"))
    await world.until(lambda: not world.health.healthy("c1"), 10)
    assert world.health.healthy("c2")
