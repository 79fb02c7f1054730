"""A cloud that cannot save what it does refuses to do it, says so, and goes on by itself when it can."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.cloud_room.conftest import Cloud, eventually, free_port, refused
from tests.virtual_cloud import item, where
from tests.warm import clouds
from workshop.cloud import daemon

FULL = "File too large"


def limit_files(cloud: Cloud, size: int) -> None:
    """No file of the cloud can grow beyond `size` bytes any more (-1: it can again): like a full disk, for any user."""
    pid = daemon.status(cloud.home).pid
    assert pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def fill(cloud: Cloud) -> None:
    """The disk is full, and the cloud knows."""
    limit_files(cloud, 0)
    refused(lambda: cloud.client("dynamodb").put_item(TableName="things", Item=item("filler", "1")))


@pytest.fixture
def full(cloud: Cloud) -> Cloud:
    cloud.table()
    cloud.client("dynamodb").put_item(TableName="things", Item=item("before", "1"))
    fill(cloud)
    return cloud


def test_writes_are_refused_with_an_error_that_names_the_disk_and_reads_go_on(full: Cloud) -> None:
    client = full.client("dynamodb")
    code, message = refused(lambda: client.put_item(TableName="things", Item=item("a", "1")))
    assert code == "InternalServerError"
    assert message == f"the local cloud cannot save its state: {FULL} ({full.home / 'cloud' / 'state'})"
    assert client.get_item(TableName="things", Key=where("before"))["Item"]["v"] == {"S": "1"}
    assert client.describe_table(TableName="things")["Table"]["TableStatus"] == "ACTIVE"
    select = "SELECT * FROM \"things\" WHERE PK = 'p' AND SK = 'before'"
    assert len(client.execute_statement(Statement=select)["Items"]) == 1


def test_every_service_refuses_in_its_own_protocol_and_reads_go_on(full: Cloud) -> None:
    for service, change, code in (
        ("ssm", lambda client: client.put_parameter(Name="/a", Value="1", Type="String"), "InternalFailure"),
        ("iam", lambda client: client.create_role(RoleName="r", AssumeRolePolicyDocument="{}"), "ServiceFailure"),
        ("cloudformation", lambda client: client.create_stack(StackName="s", TemplateBody="{}"), "InternalFailure"),
        ("s3", lambda client: client.create_bucket(Bucket="b"), "InternalError"),
        ("lambda", lambda client: client.delete_function(FunctionName="f"), "ServiceException"),
        ("apigateway", lambda client: client.create_rest_api(name="a"), "InternalFailure"),
    ):
        with pytest.raises(ClientError) as caught:
            change(full.client(service, "us-east-1"))
        response = caught.value.response
        assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, 500), service
        assert "cannot save its state" in response["Error"]["Message"]
    assert full.client("iam").list_roles()["Roles"] == []
    assert full.client("s3").list_buckets()["Buckets"] == []
    assert full.client("cloudformation").describe_stacks()["Stacks"] == []
    assert full.client("sts").get_caller_identity()["Account"] == daemon.ACCOUNT


def test_it_is_reported_and_ends_by_itself_when_there_is_room_again(full: Cloud) -> None:
    (notice,) = daemon.status(full.home).notices
    assert FULL in notice and str(full.home) in notice and "refuses" in notice
    assert full.control("GET", "health")[1]["unsaved"] == notice
    limit_files(full, -1)
    eventually(lambda: daemon.status(full.home).unsaved == "")
    assert daemon.status(full.home).notices == ()
    full.client("dynamodb").put_item(TableName="things", Item=item("after", "1"))


def test_cloud_status_and_check_report_it(full: Cloud) -> None:
    environment = {**os.environ, "WORKSHOP_HOME": str(full.home), "NO_COLOR": "1"}

    def run(*words: str) -> tuple[int, str, str]:
        command = [str(Path(sys.executable).parent / "workshop"), *words]
        ended = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
        return ended.returncode, ended.stdout, ended.stderr

    assert FULL in run("cloud", "status")[2]
    assert FULL in json.loads(run("cloud", "status", "--json")[1])["notices"][0]
    code, out, _ = run("check", "--json")
    (row,) = [row for row in json.loads(out)["checks"] if row["title"] == "The local cloud runs"]
    assert (code, row["status"]) == (3, "fail") and FULL in row["detail"] and row["fix"]


def survivors(cloud: Cloud) -> set[str]:
    os.kill(daemon.status(cloud.home).pid or 0, signal.SIGKILL)
    eventually(lambda: not daemon.status(cloud.home).running)
    clouds.start(cloud.home, timing="instant")
    return {row["SK"]["S"] for row in cloud.client("dynamodb").scan(TableName="things")["Items"]}


def put_all(cloud: Cloud, names: list[str]) -> set[str]:
    """The names of those that were acknowledged."""
    acknowledged = set()
    for name in names:
        try:
            cloud.client("dynamodb").put_item(TableName="things", Item=item(name, "1"))
        except ClientError as error:
            assert error.response["Error"]["Code"] == "InternalServerError"
        else:
            acknowledged.add(name)
    return acknowledged


def test_of_twenty_writes_on_a_full_disk_none_is_acknowledged_and_nothing_acknowledged_is_lost(full: Cloud) -> None:
    assert put_all(full, [str(number) for number in range(20)]) == set()
    assert survivors(full) == {"before"}


def test_a_table_that_could_not_be_saved_takes_no_write_until_it_is(cloud: Cloud) -> None:
    """The table itself was made while the disk was full already, and nobody had tried to write."""
    limit_files(cloud, 0)
    cloud.table()
    assert put_all(cloud, ["a", "b", "c"]) == set()
    limit_files(cloud, -1)
    eventually(lambda: put_all(cloud, ["d"]) == {"d"})
    assert "d" in survivors(cloud)


def test_a_state_that_is_too_large_for_the_disk_refuses_writes_that_would_fit(cloud: Cloud) -> None:
    cloud.table()
    put_all(cloud, ["before"])
    limit_files(cloud, 300)
    eventually(lambda: put_all(cloud, ["x"]) == set())
    eventually(lambda: daemon.status(cloud.home).unsaved != "")
    assert put_all(cloud, [str(number) for number in range(20)]) == set()


def test_a_full_cloud_can_be_emptied_and_stopped(full: Cloud) -> None:
    limit_files(full, 100_000)
    daemon.reset(full.home)
    assert full.client("dynamodb").list_tables()["TableNames"] == []
    limit_files(full, 0)
    assert daemon.stop(full.home)
    assert clouds.start(full.home, timing="instant").running


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB, where this user may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "workshop-test", str(place)]
    if os.geteuid() != 0 or subprocess.run(mounting, check=False, capture_output=True).returncode != 0:
        pytest.skip("this user may not mount a file system")
    yield place
    daemon.stop(place / "home")
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_real_disk_that_is_full(small_disk: Path) -> None:
    home = small_disk / "home"
    cloud = Cloud(home, clouds.start(home, port=free_port(), timing="instant"))
    cloud.table()
    kept = put_all(cloud, ["before"])
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(b"x" * 512)
    kept |= put_all(cloud, [f"while {number}" for number in range(20)])  # the last page of the log may have room for a few
    eventually(lambda: "No space left on device" in daemon.status(home).unsaved)
    assert put_all(cloud, [str(number) for number in range(20)]) == set()
    filler.unlink()
    eventually(lambda: daemon.status(home).unsaved == "")
    kept |= put_all(cloud, ["after"])
    assert "after" in kept and kept <= survivors(cloud)


def test_a_real_disk_that_is_full_has_room_again_once_the_cloud_is_emptied(small_disk: Path) -> None:
    home = small_disk / "home"
    cloud = Cloud(home, clouds.start(home, port=free_port(), timing="instant"))
    cloud.table()
    for number in range(20):
        cloud.client("dynamodb").put_item(TableName="things", Item=item(str(number), "x" * 10_000))
    state = home / "cloud" / "state" / "cloud.json"
    eventually(lambda: state.exists() and state.stat().st_size > 200_000)
    with (small_disk / "filler").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(b"x" * 512)
    eventually(lambda: put_all(cloud, ["more"]) == set() and daemon.status(home).unsaved != "")
    daemon.reset(home)
    assert daemon.status(home).unsaved == "" and cloud.client("dynamodb").list_tables()["TableNames"] == []
    cloud.table()
    assert put_all(cloud, ["after"]) == {"after"} == survivors(cloud)
