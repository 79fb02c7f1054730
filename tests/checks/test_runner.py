"""The runner: every check has a result, whatever happens to one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.checks.builders import HOME, context, refusal
from workshop.checks.base import Check, CheckStatus, Finding, Key, Result, failed, passed, warned
from workshop.checks.policy import needed_permissions
from workshop.checks.registry import FAMILIES, all_checks, chosen
from workshop.checks.runner import CheckReport, run_checks
from workshop.errors import ExitCode, UsageError, WorkshopError


@dataclass(frozen=True)
class GivenCheck(Check):
    """A check with a given outcome."""

    act: Callable[[], Finding] = field(kw_only=True, default=passed)
    named: str = field(kw_only=True, default="given")
    needs: tuple[Key, ...] = field(kw_only=True, default=())
    family: str = field(kw_only=True, default="identity")
    patience: float = field(kw_only=True, default=20.0)
    forever: bool = field(kw_only=True, default=False)

    name = "given"
    title = "A given check"

    @property
    def id(self) -> str:
        return self.named

    @property
    def depends_on(self) -> tuple[Key, ...]:
        return self.needs

    @property
    def deadline(self) -> float:  # type: ignore[override]
        return self.patience

    async def run(self) -> Finding:
        if self.forever:
            await asyncio.Event().wait()
        return self.act()


def results_of(*checks: Check) -> list[Result]:
    return asyncio.run(run_checks(list(checks), lambda *_: None))


def raising(error: Exception) -> Callable[[], Finding]:
    def act() -> Finding:
        raise error

    return act


def test_a_check_that_breaks_is_a_result_and_costs_no_other_theirs() -> None:
    first, second = results_of(GivenCheck(context(), act=raising(KeyError("Items"))), GivenCheck(context(), named="other"))
    assert first.status is CheckStatus.CRASH
    assert "KeyError" in first.finding.detail
    assert "--skip identity" in first.finding.fix
    assert second.status is CheckStatus.PASS


def test_a_known_error_is_a_failure_with_its_own_fix() -> None:
    broken = WorkshopError(what="It is broken.", why="It fell.", fix="glue it")
    (result,) = results_of(GivenCheck(context(), act=raising(broken)))
    assert result.finding == failed("It is broken. It fell.", "glue it")


def test_every_failure_has_a_fix_even_when_the_error_has_none() -> None:
    (result,) = results_of(GivenCheck(context(), act=raising(WorkshopError(what="It is broken."))))
    assert "workshop check --target aws" in result.finding.fix


def test_no_answer_within_the_deadline_is_a_failure_with_that_reason() -> None:
    (result,) = results_of(GivenCheck(context(), region=HOME, forever=True, patience=0.01))
    assert result.status is CheckStatus.FAIL
    assert "No answer" in result.finding.detail
    assert HOME in result.finding.detail
    assert "--only identity" in result.finding.fix


def test_what_depends_on_a_failure_is_skipped_with_the_reason() -> None:
    first = GivenCheck(context(), named="first", act=lambda: failed("no", "fix"))
    second = GivenCheck(context(), named="second", needs=(("first", ""),), act=raising(AssertionError("was run")))
    third = GivenCheck(context(), named="third", needs=(("second", ""),))
    results = results_of(third, second, first)
    assert [r.status for r in results] == [CheckStatus.PASS, CheckStatus.SKIP, CheckStatus.FAIL]
    assert "A given check" in results[1].finding.detail


def test_what_depends_on_a_crash_is_skipped() -> None:
    first = GivenCheck(context(), named="first", act=raising(ValueError()))
    second = GivenCheck(context(), named="second", needs=(("first", ""),), act=raising(AssertionError("was run")))
    assert results_of(first, second)[1].status is CheckStatus.SKIP


def test_what_depends_on_a_check_that_was_left_out_is_run() -> None:
    (result,) = results_of(GivenCheck(context(), needs=(("identity.caller", ""),)))
    assert result.status is CheckStatus.PASS


def test_checks_run_at_the_same_time() -> None:
    """Each waits for the other to have begun: one after the other would never end."""
    begun = [asyncio.Event(), asyncio.Event()]

    class Meeting(GivenCheck):
        async def run(self) -> Finding:
            mine = int(self.named)
            begun[mine].set()
            await begun[1 - mine].wait()
            return passed()

    results = results_of(*(Meeting(context(), named=str(n), patience=10.0) for n in range(2)))
    assert [r.status for r in results] == [CheckStatus.PASS, CheckStatus.PASS]


def test_the_listener_is_called_at_the_beginning_and_the_end_of_every_check() -> None:
    heard: list[tuple[str, bool]] = []
    checks = [GivenCheck(context(), named="a"), GivenCheck(context(), named="b", act=raising(ValueError()))]
    asyncio.run(run_checks(checks, lambda check, result: heard.append((check.id, result is not None))))
    assert sorted(heard) == [("a", False), ("a", True), ("b", False), ("b", True)]


@pytest.mark.parametrize(
    ("findings", "strict", "go", "code"),
    [
        ([passed()], False, True, ExitCode.DONE),
        ([passed(), warned("w", "f")], False, True, ExitCode.DONE),
        ([passed(), warned("w", "f")], True, True, ExitCode.WARNINGS),
        ([failed("x", "f"), warned("w", "f")], True, False, ExitCode.NO_GO),
        ([Finding(CheckStatus.CRASH, "x", "f")], False, False, ExitCode.NO_GO),
        ([Finding(CheckStatus.SKIP, "x")], True, True, ExitCode.DONE),
    ],
)
def test_the_verdict_follows_the_worst_finding(findings: list[Finding], strict: bool, go: bool, code: ExitCode) -> None:
    report = CheckReport(tuple(Result(str(n), "f", "", "t", finding) for n, finding in enumerate(findings)))
    assert (report.go, report.exit_code(strict=strict)) == (go, code)


def test_only_and_skip_choose_families_and_refuse_others() -> None:
    assert chosen(["quotas", "identity"], []) == ["identity", "quotas"]
    assert "clock" not in chosen([], ["clock"])
    with pytest.raises(UsageError, match="no family of checks called 'quota'") as wrong:
        chosen(["quota"], [])
    assert "quotas" in wrong.value.why
    with pytest.raises(UsageError, match="No check is left"):
        chosen(["clock"], ["clock"])


def test_every_check_has_an_id_and_a_region_of_its_own() -> None:
    checks = all_checks(context())
    assert len({check.key for check in checks}) == len(checks)
    assert {check.family for check in checks} == set(FAMILIES)


def test_a_check_names_permissions_of_its_own_phase_only() -> None:
    from workshop.steps.base import Phase

    own = {p for check in all_checks(context()) for p in check.permissions()}
    assert own
    assert {p.phase for p in own} == {Phase.CHECK}
    assert own <= set(needed_permissions(context()))


def test_without_a_caller_nothing_is_called_in_the_account_and_the_report_is_whole() -> None:
    without = context(caller=None, caller_error=refusal("NoCredentials", "Unable to locate credentials"))
    left = [family for family in FAMILIES if family not in ("endpoints", "clock")]
    results = results_of(*all_checks(without, left))
    by_id = {(r.id, r.region): r for r in results}
    assert by_id["identity.caller", ""].status is CheckStatus.FAIL
    assert by_id["permissions.reads", HOME].status is CheckStatus.SKIP
    assert by_id["quotas.tables", HOME].status is CheckStatus.SKIP
    assert without.aws.calls == []  # type: ignore[attr-defined]
