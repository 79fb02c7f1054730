"""Who is calling: found, missing, expired, wrong, and for how long."""

from __future__ import annotations

from datetime import timedelta

from tests.checks.builders import ACCOUNT, NOW, context, look, refusal
from workshop.aws.identity import CredentialExpiry, Identity
from workshop.checks.base import CheckStatus
from workshop.checks.context import EventPlan
from workshop.checks.identity import CredentialLife, ExpectedAccount, KnownCaller, Principal
from workshop.errors import UsageError


async def test_a_caller_is_named() -> None:
    finding = await look(KnownCaller(context()))
    assert finding.status is CheckStatus.PASS
    assert "Facilitator" in finding.detail


async def test_without_credentials_the_first_line_names_how_to_sign_in() -> None:
    finding = await look(KnownCaller(context(caller=None, caller_error=refusal("NoCredentials", "Unable to locate credentials"))))
    assert finding.status is CheckStatus.FAIL
    assert "Unable to locate credentials" in finding.detail
    assert "--profile NAME" in finding.fix


async def test_an_expired_session_asks_for_fresh_credentials() -> None:
    finding = await look(KnownCaller(context(caller=None, caller_error=refusal("ExpiredToken", "The security token is expired"))))
    assert finding.status is CheckStatus.FAIL
    assert "ExpiredToken" in finding.detail
    assert "fresh credentials" in finding.fix


async def test_an_unknown_profile_is_a_failed_check_and_no_exception() -> None:
    error = UsageError(
        "There is no AWS profile 'nope'.", "Profiles on this machine: default.", "Name one of them: --profile NAME"
    )
    finding = await look(KnownCaller(context(caller=None, caller_error=error)))
    assert (finding.status, finding.fix) == (CheckStatus.FAIL, error.fix)


async def test_the_expected_account_passes_another_one_fails_none_is_skipped() -> None:
    assert (await look(ExpectedAccount(context(expected_account=ACCOUNT)))).status is CheckStatus.PASS
    assert (await look(ExpectedAccount(context()))).status is CheckStatus.SKIP
    wrong = await look(ExpectedAccount(context(expected_account="999988887777")))
    assert wrong.status is CheckStatus.FAIL
    assert "--expect-account 999988887777" in wrong.fix


async def test_the_root_user_is_worth_a_warning() -> None:
    root = context(caller=Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"))
    assert (await look(Principal(root))).status is CheckStatus.WARN
    assert (await look(Principal(context()))).detail == "an assumed role"


def living(minutes: float, *, renews: bool = False) -> CredentialExpiry:
    return CredentialExpiry("env" if not renews else "sso", True, NOW + timedelta(minutes=minutes), renews)


async def test_credentials_that_end_before_the_event_are_a_warning_and_before_the_setup_a_failure() -> None:
    event = EventPlan(minutes=120, setup_minutes=5)
    assert (await look(CredentialLife(context(life=living(180), event=event)))).status is CheckStatus.PASS
    late = await look(CredentialLife(context(life=living(60), event=event)))
    assert late.status is CheckStatus.WARN
    assert "60 minutes" in late.detail
    assert (await look(CredentialLife(context(life=living(8), event=event)))).status is CheckStatus.FAIL


async def test_credentials_that_renew_themselves_and_permanent_ones_last() -> None:
    assert (await look(CredentialLife(context(life=living(8, renews=True))))).status is CheckStatus.PASS
    permanent = CredentialExpiry("shared-credentials-file", False, None, False)
    assert (await look(CredentialLife(context(life=permanent)))).status is CheckStatus.PASS


async def test_temporary_credentials_without_an_end_are_a_warning() -> None:
    assert (await look(CredentialLife(context(life=CredentialExpiry("env", True, None, False))))).status is CheckStatus.WARN


async def test_credentials_that_break_the_check_are_a_crash() -> None:
    naive = CredentialExpiry("env", True, NOW.replace(tzinfo=None), False)
    assert (await look(CredentialLife(context(life=naive)))).status is CheckStatus.CRASH
