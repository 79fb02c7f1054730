"""`workshop check` as a facilitator meets it: a healthy local account, and one fault after the other."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.checks.test_surroundings import service
from tests.cloud.quick_workshop import quick_workshop
from tests.cloud.shell import HOME_REGION, LOCAL_ACCOUNT, OTHER_REGION, TABLE, Shell, answers, free_port

Document = dict[str, Any]
STACK, FUNCTION = "global-serverless-api", "global-serverless-dev"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    one = Shell(tmp_path_factory.mktemp("shell"))
    yield one.cloud()
    one.leave()


@pytest.fixture
def clean(shell: Shell) -> Iterator[Shell]:
    yield shell.start_over()
    control(shell, "DELETE", "/_workshop/faults")


def control(shell: Shell, method: str, path: str, document: Document | None = None) -> Document:
    """One order to the cloud's own endpoint."""
    body = None if document is None else json.dumps(document).encode()
    with urllib.request.urlopen(urllib.request.Request(shell.endpoint + path, data=body, method=method), timeout=20) as response:
        found: Document = json.load(response)
        return found


def fault(shell: Shell, kind: str, **more: Any) -> None:
    control(shell, "POST", "/_workshop/faults", {"kind": kind, **more})


def bad(document: Document, *statuses: str) -> dict[tuple[str, str], Document]:
    """The checks that did not come out well, by id and region."""
    return {(c["id"], c["region"]): c for c in document["checks"] if c["status"] in (statuses or ("fail", "crash"))}


def checked(shell: Shell, *words: str, code: int = 0, env: dict[str, str] | None = None) -> Document:
    document = shell.document("check", *words, code=code, env=env)
    assert document["verdict"] == ("no-go" if code == 3 else "go")
    return document


def test_a_clean_account_is_go_and_nothing_in_it_is_changed(clean: Shell) -> None:
    before = clean.inventory()
    document = checked(clean)
    assert len(document["checks"]) >= 40
    assert bad(document) == {}
    assert all(set(c) >= {"id", "region", "status", "title", "detail", "fix", "seconds"} for c in document["checks"])
    assert clean.inventory() == before == []


def test_a_deployed_workshop_is_go_and_stays_as_it_is(clean: Shell) -> None:
    clean.run("setup")
    before = clean.inventory()
    document = checked(clean)
    assert clean.inventory() == before
    standing = [c for c in document["checks"] if "it exists already" in c["detail"]]
    assert {c["id"] for c in standing} >= {"leftovers.table", "leftovers.replica", "leftovers.api"}


def test_only_reads_reach_the_cloud(clean: Shell) -> None:
    """A fault of the kind `error` on every changing operation would strike, and be counted, if one were called."""
    for name, operations in {
        "dynamodb": ["CreateTable", "UpdateTable", "DeleteTable", "PutItem", "BatchWriteItem", "TagResource"],
        "cloudformation": ["CreateStack", "UpdateStack", "DeleteStack", "CreateChangeSet", "ExecuteChangeSet"],
        "lambda": ["CreateFunction", "DeleteFunction", "PutFunctionConcurrency", "DeleteFunctionConcurrency"],
        "iam": ["CreateRole", "DeleteRole", "CreateServiceLinkedRole"], "logs": ["CreateLogGroup", "DeleteLogGroup"],
        "ssm": ["PutParameter", "DeleteParameter"], "apigateway": ["CreateRestApi", "DeleteRestApi"],
    }.items():  # fmt: skip
        for operation in operations:
            fault(clean, "error", service=name, operation=operation)
    checked(clean)
    faults = control(clean, "GET", "/_workshop/faults")["faults"]
    assert {f["hits"] for f in faults} == {0}
    assert len(faults) == 24


def test_only_and_skip_choose_and_strict_lets_warnings_count(clean: Shell) -> None:
    only = checked(clean, "--only", "machine", "--only", "cost")
    assert {c["family"] for c in only["checks"]} == {"machine", "cost"}
    assert "quotas" not in {c["family"] for c in checked(clean, "--skip", "quotas")["checks"]}
    fault(clean, "small-account", limit=10)
    checked(clean, "--only", "quotas")
    assert checked(clean, "--only", "quotas", "--strict", code=4)["ok"] is False
    assert "no family" in clean.run("check", "--only", "quota", code=2).err


def test_the_report_for_people_begins_with_what_stops_the_event(clean: Shell) -> None:
    clean.table(region=OTHER_REGION, keys=("id",))
    lines = clean.run("check", code=3, env={"NO_COLOR": "1"}).out.splitlines()
    assert "What stops the event (1)" in lines[2]
    assert lines[3].startswith("[✗] Nothing is in the way of step replica (eu-west-1)")
    assert f"aws dynamodb delete-table --region {OTHER_REGION} --table-name {TABLE}" in lines[5]
    assert lines[-1].startswith("No-go: ")


def test_the_page_needs_no_other_file_and_account_numbers_can_be_hidden(clean: Shell, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    shown = clean.run("check", "--html", str(page), "--mask")
    text = page.read_text()
    assert page.stat().st_mode & 0o777 == 0o600
    assert LOCAL_ACCOUNT not in text + shown.out
    assert "********0000" in text
    assert "<h1>Go</h1>" in text
    assert "http://" not in text.replace("http://127.0.0.1", "")
    assert "cannot be written" in clean.run("check", "--only", "cost", "--html", str(tmp_path / "no" / "x.html"), code=2).err


def test_under_a_umask_that_takes_nothing_away_all_files_and_folders_are_private(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "shell")
    page = tmp_path / "report.html"
    try:
        work = (
            f"workshop cloud start --timing instant; workshop setup; workshop check --only cost --html {page};"
            " workshop drill run --failures 2 --countdown 1"
        )
        shell.bash(f"umask 000; {work}")
        folders = ("*", "sites/*", "sites/local/*", "reports/*")
        made = [page, *(path for pattern in folders for path in shell.state.glob(pattern))]
        assert {str(path): oct(path.stat().st_mode) for path in made if path.stat().st_mode & 0o077} == {}
        assert len(made) > 8
        assert shell.bash("umask 000; workshop check --only cost --html /dev/stdout").out.count("<html") == 1
    finally:
        shell.leave()


Prepare = Callable[[Shell], Any]


def own_stack(shell: Shell, status_of: str = "") -> None:
    template = {"Resources": {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/some/group"}}}}
    shell.client("cloudformation", OTHER_REGION).create_stack(StackName=STACK, TemplateBody=json.dumps(template))


def own_function(shell: Shell) -> None:
    """The workshop, and its function throttled as by a drill that was killed."""
    shell.run("setup")
    shell.client("lambda", OTHER_REGION).put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=0)


def protected_stack(shell: Shell) -> None:
    shell.run("setup")
    shell.client("cloudformation").update_termination_protection(StackName=STACK, EnableTerminationProtection=True)


def tagged_remains(shell: Shell) -> None:
    shell.client("dynamodb").create_table(
        TableName="last-year", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
        Tags=[{"Key": "workshop", "Value": "global-serverless"}],
    )  # fmt: skip


def another_run_at_work(shell: Shell) -> None:
    until = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    holder = {
        "token": "t", "machine": "m", "host": "laptop", "user": "ann", "pid": 1, "command": "setup", "since": until,
        "until": until,
    }  # fmt: skip
    shell.client("ssm").put_parameter(Name="/workshop/global-serverless/claim", Value=json.dumps(holder), Type="String")


def refused(service_name: str, operation: str) -> Prepare:
    message = f"User is not authorized to perform: {service_name}:{operation}"
    return lambda shell: fault(
        shell, "error", service=service_name, operation=operation, code="AccessDeniedException", message=message, status=400
    )


FAULTS: list[tuple[str, Prepare, tuple[str, str], str, str]] = [
    ("expired credentials", lambda d: fault(d, "expired", service="sts"), ("identity.caller", ""), "fail", "fresh credentials"),
    ("a disabled region", lambda d: fault(d, "region-disabled", region=OTHER_REGION), ("regions.enabled", OTHER_REGION), "fail",
     "aws account enable-region --region-name eu-west-1"),
    ("a small account", lambda d: fault(d, "small-account", limit=10), ("quotas.lambda-concurrency", HOME_REGION), "warn",
     "L-B99A9384"),
    ("a denied read", refused("dynamodb", "ListTables"), ("permissions.reads", HOME_REGION), "fail", "workshop policy"),
    ("a denied look at a table", refused("dynamodb", "DescribeTable"), ("leftovers.table", HOME_REGION), "fail", "permission"),
    ("a service that fails", lambda d: fault(d, "error", service="lambda", operation="ListFunctions", region=HOME_REGION),
     ("permissions.reads", HOME_REGION), "fail", ""),
    ("a foreign replica table", lambda d: d.table(region=OTHER_REGION, keys=("id",)), ("leftovers.replica", OTHER_REGION), "fail",
     "aws dynamodb delete-table --region eu-west-1"),
    ("a foreign home table", lambda d: d.table(keys=("id",)), ("leftovers.table", HOME_REGION), "fail",
     "aws dynamodb delete-table"),
    ("someone else's table of the right form", lambda d: d.table(), ("leftovers.table", HOME_REGION), "fail",
     "setup --adopt"),
    ("a foreign stack", own_stack, ("leftovers.api", OTHER_REGION), "fail", "aws cloudformation delete-stack --region eu-west-1"),
    ("a log group that was left",
     lambda d: d.client("logs").create_log_group(logGroupName=f"/aws/lambda/{FUNCTION}"), ("leftovers.api", HOME_REGION), "fail",
     "aws logs delete-log-group"),
    ("a REST API that was left", lambda d: d.client("apigateway").create_rest_api(name=FUNCTION), ("leftovers.api", HOME_REGION),
     "warn", "aws apigateway delete-rest-api"),
    ("a function that is still throttled", own_function, ("leftovers.throttled-function", OTHER_REGION), "fail",
     "aws lambda delete-function-concurrency --region eu-west-1"),
    ("remains of a run under other names", tagged_remains, ("leftovers.tagged", HOME_REGION), "warn", "--param NAME=VALUE"),
    ("another run at work", another_run_at_work, ("leftovers.claim", HOME_REGION), "warn", "aws ssm delete-parameter"),
    ("termination protection", protected_stack, ("stacks.state", HOME_REGION), "warn", "--no-enable-termination-protection"),
]  # fmt: skip


@pytest.mark.parametrize(("prepare", "key", "status", "fix"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_a_fault_of_the_account_is_caught_with_its_fix(
    clean: Shell, prepare: Prepare, key: tuple[str, str], status: str, fix: str
) -> None:
    prepare(clean)
    document = checked(clean, code=3 if status == "fail" else 0)
    found = bad(document, "fail", "warn", "crash")
    assert key in found, found
    assert found[key]["status"] == status
    assert fix in found[key]["fix"]
    assert len(found[key]["fix"]) > 10
    assert not bad(document, "crash")


def test_what_cannot_be_asked_because_of_the_region_is_not_blamed_on_something_else(clean: Shell) -> None:
    fault(clean, "region-disabled", region=OTHER_REGION)
    document = checked(clean, code=3)
    assert set(bad(document)) == {("regions.enabled", OTHER_REGION)}
    skipped = [c for c in document["checks"] if c["status"] == "skip" and c["region"] == OTHER_REGION]
    assert len(skipped) > 5


def test_no_permission_at_all_is_still_a_whole_report(clean: Shell) -> None:
    for name in ("dynamodb", "cloudformation", "lambda", "apigateway", "logs", "iam", "ssm", "account"):
        fault(clean, "error", service=name, code="AccessDeniedException", message="no", status=400)
    document = checked(clean, code=3)
    assert len(document["checks"]) >= 40
    assert not bad(document, "crash")
    assert ("permissions.reads", HOME_REGION) in bad(document)
    assert {c["status"] for c in document["checks"] if c["family"] == "quotas"} == {"skip"}


AWS = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_MAX_ATTEMPTS": "1"}
NOWHERE = {**AWS, "HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
KEYS = {"AWS_ACCESS_KEY_ID": LOCAL_ACCOUNT, "AWS_SECRET_ACCESS_KEY": "x"}


def test_without_credentials_and_network_the_report_is_whole_and_the_reason_comes_first(clean: Shell) -> None:
    document = checked(clean, "--target", "aws", code=3, env=NOWHERE)
    caller = bad(document)["identity.caller", ""]
    assert "NoCredentials" in caller["detail"]
    assert "--profile NAME" in caller["fix"]
    assert len(document["checks"]) >= 40
    assert not bad(document, "crash")


def test_offline_with_credentials_reports_that_no_service_answers(clean: Shell) -> None:
    document = checked(clean, "--target", "aws", code=3, env={**NOWHERE, **KEYS})
    found = bad(document)
    assert "network" in found["identity.caller", ""]["fix"]
    assert ("endpoints.reach", HOME_REGION) in found
    assert not bad(document, "crash")


def test_an_unknown_profile_is_named_with_those_that_there_are(clean: Shell) -> None:
    document = checked(clean, "--target", "aws", "--profile", "nope", code=3, env=NOWHERE)
    assert "nope" in bad(document)["identity.caller", ""]["detail"]


def test_the_wrong_account_is_no_go(clean: Shell) -> None:
    found = bad(checked(clean, "--expect-account", "999988887777", code=3))
    assert "999988887777" in found["identity.account", ""]["detail"]


def test_a_mistyped_region_is_no_go_with_the_one_that_was_meant(clean: Shell) -> None:
    found = bad(checked(clean, "--region", "us-west-2", "--region", "eu-wset-1", code=3))
    assert "Did you mean eu-west-1?" in found["regions.name", "eu-wset-1"]["fix"]


def test_a_stray_endpoint_is_announced(clean: Shell) -> None:
    env = {**AWS, **KEYS, "AWS_ENDPOINT_URL": clean.endpoint}
    found = bad(checked(clean, "--target", "aws", env=env), "warn")
    assert clean.endpoint in found["endpoints.override", ""]["detail"]


def test_credentials_that_end_too_soon_are_no_go(clean: Shell) -> None:
    soon = (datetime.now(UTC) + timedelta(minutes=16)).isoformat()
    env = {**AWS, **KEYS, "AWS_SESSION_TOKEN": "t", "AWS_CREDENTIAL_EXPIRATION": soon, "AWS_ENDPOINT_URL": clean.endpoint}
    found = bad(checked(clean, "--target", "aws", env=env), "warn")
    assert "good until" in found["identity.life", ""]["detail"]


def test_a_clock_that_is_off_is_no_go(clean: Shell) -> None:
    with service(format_datetime(datetime.now(UTC) - timedelta(minutes=10), usegmt=True)) as url:
        env = {**AWS, **KEYS, "AWS_ENDPOINT_URL": clean.endpoint, "AWS_ENDPOINT_URL_STS": url}
        found = bad(checked(clean, "--target", "aws", "--only", "clock", code=3, env=env))
    assert "ahead" in found["clock.skew", ""]["detail"]


def test_a_broken_definition_and_broken_data_are_no_go_at_their_place(clean: Shell, tmp_path: Path) -> None:
    clean.run("definition", "new", "mine")
    folder = clean.work / "mine"
    text = (folder / "workshop.yaml").read_text()
    (folder / "workshop.yaml").write_text(text.replace("dynamodb.table", "dynamodb.tabel", 1))
    found = bad(checked(clean, "--workshop", str(folder), code=3))
    assert "workshop.yaml:" in found["definition.sound", ""]["detail"]
    (folder / "workshop.yaml").write_text(text)
    for data in folder.rglob("*.json"):
        if "PutRequest" in data.read_text():
            data.write_text(data.read_text().replace("PutRequest", "PatRequest", 1))
    found = bad(checked(clean, "--workshop", str(folder), code=3))
    assert [key for key, _ in found if key.startswith("definition.")]


@contextmanager
def taken(port: int) -> Iterator[None]:
    import socket

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        yield


def test_a_port_that_is_taken_is_no_go(tmp_path: Path) -> None:
    alone = Shell(tmp_path / "shell", port=free_port())
    with taken(alone.port):
        found = bad(checked(alone, code=3))
    assert "WORKSHOP_PORT=" in found["machine.port", ""]["fix"]
    assert ("machine.cloud", "") in found
    alone.leave()


def test_a_state_folder_that_is_a_file_is_no_go(clean: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    document = checked(clean, "--target", "aws", code=3, env={**NOWHERE, "WORKSHOP_HOME": str(tmp_path / "file")})
    assert "WORKSHOP_HOME" in bad(document)["machine.state-folder", ""]["fix"]


@pytest.mark.parametrize("name", ["", "cloud", "receipts", "runs.db"])
def test_a_state_folder_with_a_link_in_it_is_no_go_and_leaves_no_cloud_behind(tmp_path: Path, name: str) -> None:
    alone, victim = Shell(tmp_path / "shell"), tmp_path / "victim"
    victim.write_text("precious") if name == "runs.db" else victim.mkdir()
    link = alone.state / name
    link.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    link.symlink_to(victim)
    found = bad(checked(alone, code=3))["machine.state-folder", ""]
    assert str(link) in found["detail"] and "symbolic link" in found["detail"] and "WORKSHOP_HOME" in found["fix"]
    assert not answers(alone.endpoint)
    assert victim.read_text() == "precious" if name == "runs.db" else list(victim.iterdir()) == []
    link.unlink()


def test_the_rehearsal_sets_up_drills_and_takes_down_beside_the_deployed_one(clean: Shell) -> None:
    quick = ("--workshop", str(quick_workshop(clean)))
    clean.run("setup", *quick, "--yes")
    before = clean.inventory()
    document = checked(clean, "--rehearse", "--only", "definition", *quick)
    found = {c["id"]: c for c in document["checks"] if c["family"] == "rehearsal"}
    assert {"rehearsal.setup.backend", "rehearsal.verify", "rehearsal.teardown", "rehearsal.leftovers"} <= set(found)
    assert {c["status"] for c in found.values()} == {"pass"}
    assert found["rehearsal.setup.backend"]["seconds"] > 0
    assert clean.inventory() == before


def test_a_no_go_is_not_rehearsed_and_aws_is_asked_first(clean: Shell) -> None:
    document = checked(clean, "--rehearse", "--expect-account", "999988887777", code=3)
    assert [c["status"] for c in document["checks"] if c["family"] == "rehearsal"] == ["skip"]
    assert "no terminal" in clean.run("check", "--rehearse", "--target", "aws", code=2).err


def test_a_rehearsal_on_aws_refuses_where_the_workshop_is_deployed(clean: Shell) -> None:
    env = {**AWS, **KEYS, "AWS_ENDPOINT_URL": clean.endpoint}
    clean.run("setup", "--target", "aws", "--yes", env=env)
    before = clean.inventory()
    said = clean.run("check", "--rehearse", "--target", "aws", "--yes", "--only", "definition", code=2, env=env).err
    assert "is already deployed in account" in said
    assert clean.inventory() == before


def test_a_rehearsal_on_aws_shows_its_plan_first_and_leaves_nothing(clean: Shell) -> None:
    env = {**AWS, **KEYS, "AWS_ENDPOINT_URL": clean.endpoint}
    quick = ("--workshop", str(quick_workshop(clean)))
    done = clean.run("check", "--rehearse", "--target", "aws", "--yes", "--only", "definition", "--json", *quick, env=env)
    assert "rehearsal of global-serverless on aws" in done.err
    planned = done.err.partition("rehearsal of")[2].splitlines()
    assert any(line.split()[:1] == ["table"] and line.split()[-2:] == ["absent", "create"] for line in planned)
    assert {c["status"] for c in done.document["checks"] if c["family"] == "rehearsal"} == {"pass"}
    assert clean.inventory() == []
