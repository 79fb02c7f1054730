"""Drills of an API that asks for tokens: one client of the drill's own gets them, and is gone afterwards, whatever happened."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.drill.regions import EAST, WEST, Died
from tests.drill.signed_in_regions import ACCESS, IDENTITY, POOL, SCOPES, SignedInRegions, SignedInSandbox
from tests.unit.fakes.virtual_time import run
from workshop.aws.resources.pool_clients import pool_clients
from workshop.drill.machine_client import clients_of_drills, machine_tokens
from workshop.drill.pending import failed_regions, pending_notices
from workshop.drill.report import ReportHeader, Targets, judge, write_report
from workshop.drill.timeline import Milestone
from workshop.errors import PartlyDoneError, WorkshopError
from workshop.redaction import MASK, redact

ORIGINAL = {"interval": 10.0, "threshold": 1, "ttl": 60}
"""The settings of the talk."""
QUICK = {"interval": 2.0, "threshold": 1, "ttl": 6}
NOTED = (Milestone.LOAD, Milestone.PEOPLE)


@pytest.fixture
def sandbox(tmp_path: Path) -> SignedInSandbox:
    return SignedInSandbox(tmp_path, SignedInRegions(**QUICK))


async def test_a_bad_deployment_is_left_within_the_bound_by_one_token_for_both_regions(tmp_path: Path) -> None:
    sandbox = SignedInSandbox(tmp_path, SignedInRegions(**ORIGINAL))
    before = sandbox.settings()
    result = await sandbox.through_name("bad-deploy")
    sandbox.assert_restored(before)
    outage, recovery = result.figures.outage, result.figures.recovery
    assert outage.rto is not None
    assert 0 < outage.rto <= outage.bound == 10 * 1 + 10 + 6 + 60 < 900
    assert recovery.acknowledged > 40
    assert recovery.lost == ()
    assert {write.region for write in result.acknowledged} == {WEST, EAST}
    assert sandbox.regions.unauthorized == 0
    assert len(sandbox.regions.tokens) == 1, "AWS charges for each"
    assert judge(result, Targets()).ok
    removed = [undone.text for undone in result.restored if undone.undo.region == IDENTITY]
    assert removed == [f"1 app client of this drill removed from the user pool {POOL} in {IDENTITY}, read back."]


async def test_the_client_is_confidential_has_the_scopes_of_the_load_alone_and_a_short_life(sandbox: SignedInSandbox) -> None:
    async with machine_tokens(ACCESS, "wild-rydes", sandbox.regions, sandbox.context, sandbox.undo_log):
        (made,) = [client for name, client in sandbox.regions.clients.items() if name != "pages"]
    assert made["ClientName"] == "workshop-drill-wild-rydes-r1"
    assert made["AllowedOAuthFlows"] == ["client_credentials"]
    assert tuple(made["AllowedOAuthScopes"]) == SCOPES
    assert made["GenerateSecret"] is True
    assert (made["AccessTokenValidity"], made["TokenValidityUnits"]) == (10, {"AccessToken": "minutes"})
    assert list(sandbox.regions.clients) == ["pages"]


async def test_the_undo_log_has_the_client_before_it_is_made(sandbox: SignedInSandbox) -> None:
    sandbox.regions.refuse = "create_user_pool_client"
    sandbox.regions.dies_at = (1, "before")
    with pytest.raises(WorkshopError) as caught:
        await sandbox.through_name("bad-deploy")
    assert caught.value.code == "AccessDeniedException"
    assert sandbox.regions.changes == []
    assert sandbox.undo_log.pending() == [], "nothing was made, which was read back"


async def test_a_token_is_renewed_before_it_ends(tmp_path: Path) -> None:
    sandbox = SignedInSandbox(tmp_path, SignedInRegions(life=20, **ORIGINAL))
    result = await sandbox.through_name("bad-deploy")
    assert sandbox.regions.unauthorized == 0
    assert len(sandbox.regions.tokens) == pytest.approx(result.seconds / 15, abs=2), "a quarter of its life before its end"
    assert result.figures.recovery.lost == ()


async def test_an_endpoint_that_fails_for_a_moment_is_asked_again_while_the_token_is_valid(tmp_path: Path) -> None:
    sandbox = SignedInSandbox(tmp_path, SignedInRegions(life=40, **QUICK))
    async with machine_tokens(ACCESS, "wild-rydes", sandbox.regions, sandbox.context, sandbox.undo_log) as tokens:
        assert tokens is not None
        first = await tokens.token()
        sandbox.regions.silent_pool = True
        await asyncio.sleep(35)
        assert await tokens.token() == first
        sandbox.regions.silent_pool = False
        assert await tokens.token() != first
        sandbox.regions.silent_pool = True
        await asyncio.sleep(41)
        with pytest.raises(WorkshopError) as caught:
            await tokens.token()
    assert caught.value.code == "NoToken"
    assert caught.value.why.endswith(" returned: status 400 (invalid_client).")


async def test_a_client_that_the_endpoint_does_not_know_yet_is_waited_for(tmp_path: Path) -> None:
    sandbox = SignedInSandbox(tmp_path, SignedInRegions(known_after=8.0, **QUICK))
    result = await sandbox.through_name("bad-deploy")
    assert result.figures.recovery.lost == ()
    assert sandbox.regions.unauthorized == 0


async def test_a_pool_that_gives_no_token_ends_the_drill_before_anything_is_failed(sandbox: SignedInSandbox) -> None:
    before = sandbox.settings()
    sandbox.regions.silent_pool = True
    with pytest.raises(WorkshopError) as caught:
        await sandbox.through_name("bad-deploy")
    assert caught.value.code == "NoToken"
    sandbox.assert_restored(before)
    assert [change.split()[1] for change in sandbox.regions.changes] == ["create_user_pool_client", "delete_user_pool_client"]


async def test_scopes_that_the_pool_does_not_have_are_named_with_the_command_that_lists_them(sandbox: SignedInSandbox) -> None:
    sandbox.machine = type(ACCESS)(ACCESS.region, ACCESS.pool, ACCESS.endpoint, ("films/read",))
    with pytest.raises(WorkshopError) as caught:
        await sandbox.through_name("bad-deploy")
    assert "films/read" in caught.value.why
    assert f"aws cognito-idp list-resource-servers --region {IDENTITY} --user-pool-id {POOL}" in caught.value.fix


@pytest.mark.parametrize("milestone", NOTED)
async def test_an_interrupted_drill_removes_its_client(sandbox: SignedInSandbox, milestone: Milestone) -> None:
    before = sandbox.settings()
    drill = asyncio.ensure_future(sandbox.through_name("bad-deploy"))
    sandbox.on_moment = lambda moment: drill.cancel() if moment.milestone is milestone else None
    with pytest.raises(asyncio.CancelledError):
        await drill
    sandbox.assert_restored(before)


@pytest.mark.parametrize("milestone", NOTED)
async def test_the_next_process_removes_the_client_of_a_killed_drill(sandbox: SignedInSandbox, milestone: Milestone) -> None:
    before = sandbox.settings()
    sandbox.kill_at(milestone)
    with pytest.raises(Died):
        await sandbox.through_name("bad-deploy")
    later = sandbox.next_process()
    assert len(later.regions.clients) == 2
    left = "A drill that was killed left its app client in the user pool of global-serverless on local"
    assert any(left in line for line in pending_notices(later.folder, later.journal))
    assert IDENTITY not in {each.region for each in failed_regions(later.folder, later.journal, later.undo_log.scope)}
    await later.undo_log.undo_all(later.context, later.undo_log.pending())
    later.assert_restored(before)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_drill_that_is_killed_while_it_makes_its_client_leaves_none(sandbox: SignedInSandbox, when: str) -> None:
    before = sandbox.settings()
    sandbox.regions.dies_at = (1, when)
    with pytest.raises(Died):
        await sandbox.through_name("bad-deploy")
    later = sandbox.next_process()
    await later.undo_log.undo_all(later.context, later.undo_log.pending())
    later.assert_restored(before)


async def test_a_client_that_a_killed_process_still_makes_is_removed_too(sandbox: SignedInSandbox) -> None:
    before = sandbox.settings()
    sandbox.regions.dies_at = (1, "before")
    with pytest.raises(Died):
        await sandbox.through_name("bad-deploy")
    later = sandbox.next_process()
    late = {"ClientName": "workshop-drill-global-serverless-r1", "AllowedOAuthFlows": ["client_credentials"]}
    asyncio.get_running_loop().call_later(2, later.regions.clients.update, {"late": late})
    await later.undo_log.undo_all(later.context, later.undo_log.pending())
    await asyncio.sleep(5)
    later.assert_restored(before)


async def test_a_pool_that_is_gone_has_nothing_left(sandbox: SignedInSandbox) -> None:
    sandbox.kill_at(Milestone.INJECTED)
    with pytest.raises(Died):
        await sandbox.through_name("bad-deploy")
    later = sandbox.next_process()
    later.regions.pool_gone = True
    done = await later.undo_log.undo_all(later.context, later.undo_log.pending())
    assert f"The user pool {POOL} no longer exists, and neither does the drill's app client." in [each.text for each in done]
    assert later.undo_log.pending() == []


async def test_a_removal_that_is_denied_stays_in_the_undo_log(sandbox: SignedInSandbox) -> None:
    sandbox.regions.refuse = "delete_user_pool_client"
    with pytest.raises(PartlyDoneError) as caught:
        await sandbox.through_name("bad-deploy")
    assert caught.value.what == f"{IDENTITY} is not restored yet (machine-client)."
    (left,) = sandbox.undo_log.pending()
    assert json.loads(left.snapshot)["name"].endswith("-r1")


def test_secret_and_token_are_in_no_journal_and_no_report(tmp_path: Path) -> None:
    sandbox = run(_sandbox_in(tmp_path))
    result = run(sandbox.through_name("bad-deploy"))
    files = write_report(
        tmp_path / "reports", result, Targets(), judge(result, Targets()), ReportHeader("w", "local", "0", "now")
    )
    written = [*tmp_path.rglob("*.db*"), files.html, files.json, files.svg]
    (token,) = sandbox.regions.tokens
    for text in ("secret-of-client-1", token):
        assert not [path for path in written if text.encode() in path.read_bytes()]
        assert text not in repr(result)
        assert redact(f"an error that echoes {text}") == f"an error that echoes {MASK}"


async def _sandbox_in(folder: Path) -> SignedInSandbox:
    return SignedInSandbox(folder, SignedInRegions(**QUICK))


async def test_a_sweep_finds_the_clients_of_this_workshops_drills_alone(sandbox: SignedInSandbox) -> None:
    machine, run = {"AllowedOAuthFlows": ["client_credentials"]}, "20260101-120000-abcd"
    sandbox.regions.clients |= {
        "ours": {"ClientName": f"workshop-drill-wild-rydes-{run}", **machine},
        "of-a-fleet": {"ClientName": f"workshop-drill-wild-rydes-{run}-111122223333", **machine},
        "another-workshop": {"ClientName": f"workshop-drill-wild-rydes-two-{run}", **machine},
        "signs-people-in": {"ClientName": f"workshop-drill-wild-rydes-{run}", "AllowedOAuthFlows": ["code"]},
        "a-colleague": {"ClientName": "workshop-drill-wild-rydes-by-hand", **machine},
    }
    found = await clients_of_drills(sandbox.regions, IDENTITY, POOL, "wild-rydes")
    assert [each.id for each in found] == ["ours", "of-a-fleet"]
    assert len(await pool_clients(sandbox.regions, IDENTITY, POOL)) == 6


async def test_a_client_whose_making_got_no_response_is_removed_by_the_drill_itself(sandbox: SignedInSandbox) -> None:
    sandbox.regions.refuse = "create_user_pool_client"
    late = {"ClientName": "workshop-drill-global-serverless-r1", "AllowedOAuthFlows": ["client_credentials"]}
    asyncio.get_running_loop().call_later(2, sandbox.regions.clients.update, {"late": late})
    with pytest.raises(WorkshopError):
        async with machine_tokens(ACCESS, "global-serverless", sandbox.regions, sandbox.context, sandbox.undo_log):
            pass
    await asyncio.sleep(3)
    assert "late" not in sandbox.regions.clients and sandbox.undo_log.pending() == []
