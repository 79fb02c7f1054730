"""What a function on the local cloud sees of the machine it runs on."""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cloud_room.conftest import Cloud, eventually, free_port
from workshop.cloud import daemon

PYTHON = """
import os

def handler(event, context):
    import boto3
    home = os.path.expanduser("~")
    files = {name: os.path.exists(os.path.join(home, name)) for name in (".aws/credentials", "notes.txt")}
    region = boto3.client("sts").get_caller_identity()["Account"]
    return {"environ": dict(os.environ), "home": home, "files": files, "account": region}
"""
NODE = """
const os = require("os"), fs = require("fs"), path = require("path");
exports.handler = async () => ({
  environ: {...process.env},
  home: os.homedir(),
  files: {".aws/credentials": fs.existsSync(path.join(os.homedir(), ".aws/credentials"))},
});
"""
LAMBDA_ROLE = "arn:aws:iam::000000000000:role/any"


@pytest.fixture
def of_a_user(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A cloud that a user started whose shell and home hold secrets."""
    own = tmp_path / "the-users-home"
    (own / ".aws").mkdir(parents=True)
    (own / ".aws" / "credentials").write_text("[default]\naws_secret_access_key = of-the-user\n")
    (own / "notes.txt").write_text("private")
    for name, value in {
        "HOME": str(own), "USER": "the-user", "LOGNAME": "the-user", "DATABASE_PASSWORD": "of-the-user", "LC_X": "of-the-user",
        "AWS_PROFILE": "of-the-user", "AWS_SECRET_ACCESS_KEY": "of-the-user", "VIRTUAL_ENV": "of-the-user",
        "PYTHONPATH": os.pathsep.join([str(own), os.environ.get("PYTHONPATH", "")]),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    state = daemon.start(home, port=free_port(), timing="instant")
    for name in ("AWS_PROFILE", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    yield Cloud(home, state)


def invoked(cloud: Cloud, runtime: str, file: str, code: str) -> dict[str, Any]:
    """What a function with this code answers."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(file, code)
    client = cloud.client("lambda")
    client.create_function(
        FunctionName="looker", Runtime=runtime, Role=LAMBDA_ROLE, Handler="index.handler", Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": {"TABLE": "films"}},
    )  # fmt: skip
    eventually(lambda: client.get_function_configuration(FunctionName="looker")["State"] == "Active")
    answer = client.invoke(FunctionName="looker", Payload=b"{}")
    document: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, document
    return document


def hold_to_itself(cloud: Cloud, seen: dict[str, Any], own: Path) -> None:
    """A function has a home of the cloud's own, its own settings, and nothing of the user."""
    assert Path(seen["home"]).is_relative_to(cloud.home / "cloud")
    assert not any(seen["files"].values())
    told = json.dumps(seen["environ"])
    assert "of-the-user" not in told and "the-user" not in told and str(own) not in told
    assert {"USER", "LOGNAME", "VIRTUAL_ENV", "DATABASE_PASSWORD", "AWS_PROFILE"}.isdisjoint(seen["environ"])
    assert seen["environ"]["TABLE"] == "films"
    assert seen["environ"]["AWS_LAMBDA_FUNCTION_NAME"] == "looker"
    assert seen["environ"]["AWS_REGION"] == "us-west-2"


def test_a_python_function_sees_nothing_of_the_user_and_has_boto3(of_a_user: Cloud, tmp_path: Path) -> None:
    seen = invoked(of_a_user, "python3.13", "index.py", PYTHON)
    hold_to_itself(of_a_user, seen, tmp_path / "the-users-home")
    assert seen["account"] == daemon.ACCOUNT


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_a_node_function_sees_nothing_of_the_user(of_a_user: Cloud, tmp_path: Path) -> None:
    seen = invoked(of_a_user, "nodejs22.x", "index.js", NODE)
    hold_to_itself(of_a_user, seen, tmp_path / "the-users-home")
