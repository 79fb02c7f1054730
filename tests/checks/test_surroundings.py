"""Network, clock, machine, definition and cost."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.checks.builders import HOME, NOW, FakeStep, context, look, needs, planned, refusal
from workshop.checks.base import CheckStatus, Finding
from workshop.checks.clock_skew import ClockSkew
from workshop.checks.context import EventPlan, Machine
from workshop.checks.cost import EventCost, SetupMinutes
from workshop.checks.definition import Secrets, SoundDefinition, StepFiles
from workshop.checks.endpoints import EndpointOverride, ReachableServices
from workshop.checks.machine import Browser, LocalCloud, Packages, Port, Python, StateFolder
from workshop.checks.read_only import ReadOnlyClient
from workshop.definition.problem import Problem
from workshop.errors import UsageError, WorkshopError


@contextmanager
def service(date: str | None) -> Iterator[str]:
    """An endpoint that returns 403 to every request, as AWS does to an unsigned one; its Date is given."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response_only(403)
            if date is not None:
                self.send_header("Date", date)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Finding]:
    """Asks a check in real time: sockets know no virtual one."""
    import asyncio

    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return lambda check: asyncio.run(look(check))


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(0, CheckStatus.PASS), (59, CheckStatus.PASS), (90, CheckStatus.WARN), (-90, CheckStatus.WARN), (400, CheckStatus.FAIL)],
)
def test_a_clock_that_is_off_is_measured_by_the_date_of_an_answer(
    real: Callable[[Any], Finding], seconds: int, status: CheckStatus
) -> None:
    with service(format_datetime(NOW - timedelta(seconds=seconds), usegmt=True)) as url:
        finding = real(ClockSkew(context(address=lambda *_: url)))
    assert finding.status is status
    if status is not CheckStatus.PASS:
        assert f"{abs(seconds)} s {'ahead' if seconds > 0 else 'behind'}" in finding.detail
        assert "timedatectl" in finding.fix


def test_without_a_date_the_refused_signature_decides(real: Callable[[Any], Finding]) -> None:
    with service(None) as url:
        assert real(ClockSkew(context(address=lambda *_: url))).status is CheckStatus.SKIP
        error = refusal("RequestTimeTooSkewed", "Signature expired: 20261121T080000Z is now earlier than ...")
        finding = real(ClockSkew(context(address=lambda *_: url, caller=None, caller_error=error)))
    assert finding.status is CheckStatus.FAIL


def test_a_date_that_cannot_be_read_is_skipped(real: Callable[[Any], Finding]) -> None:
    with service("yesterday") as url:
        assert real(ClockSkew(context(address=lambda *_: url))).status is CheckStatus.SKIP


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"


def test_services_answer_or_are_named_with_their_address(real: Callable[[Any], Finding]) -> None:
    step = FakeStep(permissions=[needs("dynamodb:CreateTable", "*"), needs("lambda:CreateFunction", "*")])
    closed = closed_port()
    with service(None) as url:
        good = context(planned_steps=(planned(step),), address=lambda *_: url)
        assert "dynamodb" in real(ReachableServices(good, HOME)).detail
        half = context(planned_steps=(planned(step),), address=lambda name, _: url if name == "dynamodb" else closed)
        finding = real(ReachableServices(half, HOME))
    assert finding.status is CheckStatus.FAIL
    assert "1 of 2" in finding.detail
    assert f"curl -sI {closed}" in finding.fix
    assert real(ClockSkew(context(address=lambda *_: closed))).status is CheckStatus.SKIP


async def test_a_stray_endpoint_is_announced_on_aws_only() -> None:
    stray = await look(EndpointOverride(context(override="http://127.0.0.1:4566")))
    assert (stray.status, "NOT AWS" in stray.detail) == (CheckStatus.WARN, True)
    assert "unset AWS_ENDPOINT_URL" in stray.fix
    assert (await look(EndpointOverride(context()))).status is CheckStatus.PASS
    assert (await look(EndpointOverride(context(target="local")))).status is CheckStatus.SKIP


async def test_this_python_and_its_packages_are_right() -> None:
    assert (await look(Python(context()))).status in (CheckStatus.PASS, CheckStatus.WARN)
    assert (await look(Packages(context(target="local")))).status is CheckStatus.PASS


async def test_a_state_folder_that_cannot_be_used_is_no_go(tmp_path: Path) -> None:
    error = UsageError("The state folder cannot be used: /x.", "Permission denied.", "export WORKSHOP_HOME=/y")
    finding = await look(StateFolder(context(machine=Machine(tmp_path, folder_error=error))))
    assert (finding.status, finding.fix) == (CheckStatus.FAIL, error.fix)
    assert (await look(StateFolder(context(machine=Machine(tmp_path))))).status is CheckStatus.PASS
    missing = Machine(tmp_path / "gone")
    assert (await look(StateFolder(context(machine=missing)))).status is CheckStatus.CRASH


async def test_a_cloud_that_did_not_start_is_no_go(tmp_path: Path) -> None:
    error = WorkshopError("The local cloud did not start.", "Its process ended.", "Read its log: workshop cloud logs")
    local = context(target="local", machine=Machine(tmp_path, cloud_error=error))
    assert (await look(LocalCloud(local))).fix == error.fix
    assert (await look(LocalCloud(context()))).status is CheckStatus.SKIP


async def test_a_port_is_free_ours_or_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("WORKSHOP_PORT", str(port))
        for cloud, status in ((port, CheckStatus.PASS), (port + 1, CheckStatus.WARN), (None, CheckStatus.FAIL)):
            local = context(target="local", machine=Machine(tmp_path, cloud_port=cloud))
            assert (await look(Port(local))).status is status
    assert (await look(Port(context(target="local", machine=Machine(tmp_path))))).status is CheckStatus.PASS


async def test_a_browser_is_found_or_missed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "firefox").write_text("#!/bin/sh\n")
    (tmp_path / "firefox").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BROWSER", raising=False)
    assert (await look(Browser(context()))).detail == "firefox"
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert (await look(Browser(context()))).status in (CheckStatus.WARN, CheckStatus.PASS)  # macOS always has one


async def test_a_definition_with_problems_is_no_go_at_its_line() -> None:
    assert (await look(SoundDefinition(context()))).status is CheckStatus.PASS
    problem = Problem("workshop.yaml", 7, "steps.0.kind", "There is no kind 'dynamodb.tabel'.", "Did you mean dynamodb.table?")
    finding = await look(SoundDefinition(context(problems=(problem, problem))))
    assert finding.status is CheckStatus.FAIL
    assert "workshop.yaml:7" in finding.detail
    assert "1 more" in finding.detail


def test_the_files_of_a_step_are_read_and_weighed(real: Callable[[Any], Finding], tmp_path: Path) -> None:
    data = tmp_path / "data.json"
    data.write_text("{}")
    good = planned(FakeStep(), file=str(data))
    assert "2 bytes" in (real(StepFiles(context(planned_steps=(good,)), planned=good))).detail
    bad = planned(FakeStep(files=UsageError("Item 3 of data.json has no key.", "Nothing was written.", "Add it")), file=str(data))
    assert (real(StepFiles(context(planned_steps=(bad,)), planned=bad))).fix == "Add it"
    broken = planned(FakeStep(files=IndexError("x")), file=str(data))
    assert (real(StepFiles(context(planned_steps=(broken,)), planned=broken))).status is CheckStatus.CRASH


async def test_time_and_cost_follow_the_steps_and_the_participants() -> None:
    assert (await look(SetupMinutes(context(event=EventPlan(1, 120, 3))))).status is CheckStatus.PASS
    assert (await look(SetupMinutes(context(event=EventPlan(1, 30, 15))))).status is CheckStatus.WARN
    assert (await look(SetupMinutes(context(event=EventPlan(1, 10, 15))))).status is CheckStatus.FAIL
    assert "$2.00 for 40 participants" in (await look(EventCost(context(event=EventPlan(40, 120, 3, 0.05))))).detail


async def test_a_call_that_could_change_something_does_not_pass_the_door() -> None:
    class Never:
        account = "111122223333"

        async def call(self, *_: Any, **__: Any) -> dict[str, Any]:
            raise AssertionError("was called")

    for operation in ("create_table", "update_table", "delete_stack", "put_item", "tag_resource", "batch_write_item"):
        with pytest.raises(PermissionError, match=operation):
            await ReadOnlyClient(Never()).call("any", HOME, operation)


async def test_a_secret_that_a_setup_would_miss_is_a_no_go_with_the_way_to_give_it() -> None:
    missing = UsageError(
        what="The secret 'token' is not given.", why="It is nowhere.", fix="Put it into a file", code="MissingSecret"
    )
    (check,) = Secrets.instances(context(secrets={"spare": None, "token": missing}))
    finding = await look(check)
    assert finding.status is CheckStatus.FAIL and "'token' is not given" in finding.detail and finding.fix == "Put it into a file"
    wanted = {(permission.action, permission.resource.rpartition("parameter")[2]) for permission in check.permissions()}
    assert {name for _, name in wanted} == {f"/workshop/{check.context.workshop}/{name}" for name in ("spare", "token")}
    (given,) = Secrets.instances(context(secrets={"token": None}))
    assert (await look(given)).status is CheckStatus.PASS
    assert Secrets.instances(context()) == []
