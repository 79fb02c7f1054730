"""`--target aws` against endpoints that are not our cloud: the emulator by itself, and moto's server."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from tests.cloud.shell import HOME_REGION, REGIONS, TABLE, Shell, answers, eventually, free_port
from tests.warm import commands

pytestmark = pytest.mark.cloud
ACCOUNT = "111122223333"


@contextmanager
def plain_emulator(folder: Path):
    """MiniStack as it comes, without anything of ours; answers its address."""
    folder.mkdir()
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WORKSHOP_"))}
    settings = {
        "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "MINISTACK_ACCOUNT_ID": ACCOUNT, "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0", "STATE_DIR": str(folder / "state"), "S3_DATA_DIR": str(folder / "s3"), "PERSIST_STATE": "0",
        "LAMBDA_EXECUTOR": "local", "LOG_LEVEL": "ERROR", "HOME": str(folder), "TMPDIR": str(folder),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "hypercorn", "ministack.app:app", "--bind", f"127.0.0.1:{port}"], cwd=folder,
            env={**kept, **settings}, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    try:
        eventually(lambda: answers(f"http://127.0.0.1:{port}/_ministack/health"), 60)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(10)


def at(endpoint: str) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "x"}


@pytest.fixture(scope="module")
def abroad(tmp_path_factory):
    """A shell whose AWS settings lead to a plain emulator."""
    folder = tmp_path_factory.mktemp("abroad")
    with plain_emulator(folder / "emulator") as endpoint:
        shell = Shell(folder / "shell", more=at(endpoint))
        yield shell, endpoint
        shell.leave()


def there(shell, endpoint):
    return shell.inventory(account=ACCOUNT, endpoint=endpoint)


def test_without_a_terminal_nothing_is_changed_before_a_yes(abroad):
    shell, endpoint = abroad
    before = there(shell, endpoint)
    done = shell.run("setup", "--target", "aws", code=2)
    assert "asks before the first change, and there is no terminal to ask on" in done.err
    assert "workshop setup --target aws --yes" in done.err
    assert f"NOT AWS: your settings send every call to {endpoint}" in done.err
    assert f"arn:aws:iam::{ACCOUNT}:root" in done.err
    assert "us-west-2, eu-west-1" in done.err
    assert "minutes on AWS" in done.err
    assert there(shell, endpoint) == before == []


def test_on_a_terminal_a_no_changes_nothing(abroad):
    shell, endpoint = abroad
    ours, theirs = pty.openpty()
    with closing(os.fdopen(ours, "wb", buffering=0)) as keyboard:
        done = commands.start(["setup", "--target", "aws"], environment=shell.environment, cwd=shell.work, stdin=theirs)
        os.close(theirs)
        keyboard.write(b"n\n")
        _, err = done.communicate(timeout=60)
    assert done.returncode == 130
    assert f"Go on with setup in account {ACCOUNT}?" in err
    assert "Stopped before anything was changed." in err
    assert there(shell, endpoint) == []


def test_the_plan_shows_the_account_and_changes_nothing(abroad):
    shell, endpoint = abroad
    plan = shell.document("setup", "--target", "aws", "--plan")
    assert (plan["target"], plan["account"]) == ("aws", ACCOUNT)
    assert there(shell, endpoint) == []


def test_the_wrong_account_is_refused(abroad):
    shell, endpoint = abroad
    done = shell.run("setup", "--target", "aws", "--yes", "--expect-account", "999988887777", code=2)
    assert f"This is account {ACCOUNT}, not 999988887777." in done.err
    assert there(shell, endpoint) == []


def test_explain_needs_no_credentials(abroad):
    shell, _ = abroad
    none = dict.fromkeys(at(""), None)
    lines = shell.run("explain", "table", "--target", "aws", env=none).out
    assert lines.startswith("# global-serverless on aws\n")
    assert "cloud env" not in lines
    assert "aws dynamodb create-table" in lines


def test_the_same_code_sets_up_and_takes_down_there(abroad):
    shell, endpoint = abroad
    words = ("--target", "aws", "--yes", "--expect-account", ACCOUNT)
    first = shell.run("setup", *words, "--json")
    assert f"NOT AWS: your settings send every call to {endpoint}" in first.err
    made = first.document
    assert (made["target"], made["account"], made["ok"]) == ("aws", ACCOUNT, True)
    for region in REGIONS:
        with urllib.request.urlopen(made["apis"][region]["path_url"], timeout=20) as answer:
            assert json.load(answer) == {"ping": "ok"}
        table = shell.client("dynamodb", region, account=ACCOUNT, endpoint=endpoint)
        assert table.scan(TableName=TABLE, Select="COUNT")["Count"] == 13
    assert made["web"]["harness"].startswith("file://")
    assert Path(made["web"]["harness"].removeprefix("file://")).is_file()
    assert {step["outcome"] for step in shell.document("setup", *words)["steps"]} == {"unchanged"}
    status = shell.document("status")
    assert (status["target"], {step["state"] for step in status["steps"]}) == ("aws", {"ready"})


def test_a_local_teardown_reports_that_the_workshop_is_deployed_on_aws(abroad):
    shell, endpoint = abroad
    before = there(shell, endpoint)
    done = shell.run("teardown", "--target", "local", "--json", code=5)
    assert done.document["ok"] is False
    assert f"is still deployed on AWS, in account {ACCOUNT} since" in done.err
    assert "Remove it: workshop teardown --target aws" in done.err
    assert there(shell, endpoint) == before != []


def test_a_teardown_without_a_target_goes_where_the_last_run_went(abroad):
    shell, endpoint = abroad
    shell.run("setup", "--target", "aws", "--yes", "--through", "backend")
    refused = shell.run("teardown", code=2)
    assert f"Target: aws, account {ACCOUNT}" in refused.err.splitlines()[:2]
    assert "workshop teardown --target aws --yes" in refused.err
    assert there(shell, endpoint) != []
    gone = shell.run("teardown", "--yes", "--json")
    assert (gone.document["target"], gone.document["leftovers"]) == ("aws", [])
    assert there(shell, endpoint) == []
    assert shell.run("teardown", "--target", "local").code == 0


def test_no_credentials_are_told_with_the_ways_to_get_some(fresh):
    done = fresh.run("setup", "--target", "aws", "--yes", code=1)
    assert "NoCredentials" in done.err
    assert "aws sso login" in done.err
    assert "--target local" in done.err
    assert not (fresh.state / "cloud").exists()


def test_an_unknown_profile_is_named_with_the_known_ones(fresh):
    settings = fresh.folder / "home" / ".aws"
    settings.mkdir()
    (settings / "config").write_text("[profile teaching]\nregion = us-west-2\n")
    done = fresh.run("setup", "--target", "aws", "--profile", "nobody", code=2)
    assert "There is no AWS profile 'nobody'." in done.err
    assert "teaching" in done.err


def test_an_endpoint_without_a_listener_is_named(fresh):
    port = free_port()
    done = fresh.run("setup", "--target", "aws", "--yes", code=1, env=at(f"http://127.0.0.1:{port}"))
    assert f"http://127.0.0.1:{port}" in done.err
    assert "Check the network" in done.err


@pytest.fixture
def moto():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


def test_moto_agrees_about_a_table_with_items(fresh, moto):
    """The second opinion, for what moto knows: tables, items, tags, parameters, identity."""
    fresh.run("definition", "new", "small")
    path = fresh.work / "small" / "workshop.yaml"
    head, _, tail = path.read_text().partition("      # needs:")
    data = tail[tail.index("      - id: data") :].replace("needs: [replica]", "needs: [table]")
    path.write_text((head + data).replace("regions: [us-west-2, eu-west-1]", "regions: [us-west-2]"))
    words = ("--workshop", "./small", "--target", "aws", "--yes")
    setup = fresh.document("setup", *words, env=at(moto))
    assert {(step["id"], step["outcome"]) for step in setup["steps"]} == {("table", "created"), ("data", "created")}
    dynamodb = fresh.client("dynamodb", HOME_REGION, account=setup["account"], endpoint=moto)
    assert dynamodb.scan(TableName="small-table", Select="COUNT")["Count"] == 3
    assert {step["outcome"] for step in fresh.document("setup", *words, env=at(moto))["steps"]} == {"unchanged"}
    assert fresh.document("teardown", *words, env=at(moto))["leftovers"] == []
    assert dynamodb.list_tables()["TableNames"] == []
