"""Regions: mistyped, disabled, silent, being enabled."""

from __future__ import annotations

from tests.checks.builders import AWAY, HOME, FakeAwsClient, context, denied, look, refusal
from workshop.aws.errors import AwsError
from workshop.checks.base import CheckStatus
from workshop.checks.regions import RegionEnabled, RegionExists

CALLER = {"Account": "111122223333", "Arn": "arn:aws:iam::111122223333:user/ann"}


def opted(status: str) -> dict[str, str]:
    return {"RegionOptStatus": status}


async def test_a_mistyped_region_is_answered_with_the_one_that_was_meant() -> None:
    finding = await look(RegionExists(context(regions=("us-west-2", "eu-wset-1")), "eu-wset-1"))
    assert finding.status is CheckStatus.FAIL
    assert "Did you mean eu-west-1?" in finding.fix
    assert "--region us-west-2 --region eu-west-1" in finding.fix


async def test_a_region_that_there_is_passes() -> None:
    assert (await look(RegionExists(context(), AWAY))).status is CheckStatus.PASS


async def test_an_enabled_region_passes() -> None:
    aws = FakeAwsClient({"account.get_region_opt_status": opted("ENABLED"), "sts.get_caller_identity": CALLER})
    assert (await look(RegionEnabled(context(aws), AWAY))).status is CheckStatus.PASS


async def test_bad_credentials_in_one_region_alone_mean_a_region_that_is_not_enabled() -> None:
    aws = FakeAwsClient({"sts.get_caller_identity": refusal("InvalidClientTokenId", "The security token is invalid", AWAY)})
    finding = await look(RegionEnabled(context(aws), AWAY))
    assert finding.status is CheckStatus.FAIL
    assert "is not enabled" in finding.detail
    assert HOME in finding.detail
    assert f"aws account enable-region --region-name {AWAY}" in finding.fix


async def test_bad_credentials_at_home_are_bad_credentials() -> None:
    aws = FakeAwsClient({"sts.get_caller_identity": refusal("InvalidClientTokenId", "The security token is invalid")})
    finding = await look(RegionEnabled(context(aws), HOME))
    assert finding.status is CheckStatus.FAIL
    assert "InvalidClientTokenId" in finding.detail


async def test_the_accounts_own_setting_is_believed() -> None:
    aws = FakeAwsClient({"account.get_region_opt_status": opted("DISABLED"), "sts.get_caller_identity": CALLER})
    finding = await look(RegionEnabled(context(aws), AWAY))
    assert finding.status is CheckStatus.FAIL
    assert "DISABLED" in finding.detail


async def test_a_region_on_its_way_is_a_warning() -> None:
    aws = FakeAwsClient({"account.get_region_opt_status": opted("ENABLING"), "sts.get_caller_identity": CALLER})
    finding = await look(RegionEnabled(context(aws), AWAY))
    assert finding.status is CheckStatus.WARN
    assert "Wait" in finding.fix


async def test_without_the_permission_to_ask_an_answer_is_enough() -> None:
    aws = FakeAwsClient({"account.get_region_opt_status": denied("account"), "sts.get_caller_identity": CALLER})
    assert (await look(RegionEnabled(context(aws), AWAY))).detail == "it answers"


async def test_a_region_without_a_response_is_a_network_problem() -> None:
    silent = AwsError("Unreachable", "Could not connect", service="sts", operation="GetCallerIdentity", region=AWAY)
    finding = await look(RegionEnabled(context(FakeAwsClient({"sts.get_caller_identity": silent})), AWAY))
    assert finding.status is CheckStatus.FAIL
    assert "network" in finding.fix


async def test_an_answer_that_makes_no_sense_is_a_crash() -> None:
    aws = FakeAwsClient({"account.get_region_opt_status": TypeError("no"), "sts.get_caller_identity": CALLER})
    assert (await look(RegionEnabled(context(aws), AWAY))).status is CheckStatus.CRASH
