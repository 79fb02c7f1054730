"""The strict cloud for tests: started once, emptied for each test, with a user who may do what a policy says."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from tests.checks.strict_cloud import ACCOUNT, SECRET
from tests.warm import commands


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    document: dict[str, Any]
    err: str


@dataclass
class Strict:
    """A running strict cloud. `folder` is where state folders are made."""

    endpoint: str
    folder: Path
    count: int = 0

    def user(self, policy: dict[str, Any]) -> dict[str, str]:
        """Empty the cloud and make a user with this policy; returns the environment that makes commands call as that user."""
        with urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/_ministack/reset", method="POST"), timeout=60):
            pass
        iam = boto3.session.Session().client(
            "iam", endpoint_url=self.endpoint, region_name="us-east-1", aws_access_key_id=ACCOUNT, aws_secret_access_key=SECRET
        )
        iam.create_user(UserName="facilitator")
        iam.put_user_policy(UserName="facilitator", PolicyName="workshop", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName="facilitator")["AccessKey"]
        self.count += 1
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WORKSHOP_"))}
        return {
            **kept, "AWS_ENDPOINT_URL": self.endpoint, "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"], "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "NO_COLOR": "1",
            "WORKSHOP_HOME": str(self.folder / f"home-{self.count}"), "WORKSHOP_TARGET": "aws", "WORKSHOP_YES": "1",
        }  # fmt: skip


def run(environment: dict[str, str], *words: str) -> Ran:
    """Run a command with --json as a user would."""
    code, out, err = commands.run([*words, "--json"], cwd=Path.cwd(), environment=environment, text="", timeout=280)
    try:
        return Ran(code, json.loads(out), err)
    except ValueError:
        return Ran(code, {}, err + out)


def policy_of(*words: str, account: str = ACCOUNT, whole: bool = True) -> dict[str, Any]:
    """What `workshop policy` prints for an account, for any with an empty one; `whole` in one document."""
    expected = ["--expect-account", account] if account else []
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WORKSHOP_"))}
    code, out, err = commands.run(
        ["policy", *(["--whole"] if whole else []), *expected, *words], cwd=Path.cwd(),
        environment={**kept, "WORKSHOP_HOME": os.devnull + "/none"}, text="", timeout=120,
    )  # fmt: skip
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


@contextmanager
def strict_cloud(folder: Path) -> Iterator[Strict]:
    """The cloud in a process of its own, ended by its id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WORKSHOP_"))}
    with (folder / "cloud.log").open("w") as log:
        program = Path(__file__).with_name("strict_cloud.py")
        process = subprocess.Popen([sys.executable, str(program), str(port), str(folder)], env=kept, stdout=log, stderr=log)
    try:
        endpoint = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 60
        while not _answers(endpoint):
            assert process.poll() is None, (folder / "cloud.log").read_text()
            assert time.monotonic() < end, "the strict cloud did not come up"
            time.sleep(0.1)
        yield Strict(endpoint, folder)
    finally:
        process.terminate()
        process.wait(20)


def _answers(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
