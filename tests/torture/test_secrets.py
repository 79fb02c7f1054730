"""Secrets are planted wherever they could come from; then everything that was written and shown is searched for them."""

from __future__ import annotations

import itertools
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud.shell import Shell, eventually
from tests.torture.cloud_sandbox import SMALL
from workshop.cloud.faults import CloudFault, fault_add, faults_clear

KEY, ID = "PlantedSecretKey/zj2kq8Lw0vN5xT", "AKIAPLANTED7EXAMPLE9"
TOKEN, SIGNATURE = "PlantedSessionToken//////////8Fq3", "5eaf00d5eaf00d5eaf00d5eaf00d5eaf"
SECRETS = (KEY, ID, TOKEN, SIGNATURE)
ECHO = (
    f"The request signature does not match. Canonical: host:aws x-amz-security-token:{TOKEN} Credential={ID}/20260301/x "
    f"Signature={SIGNATURE} key {KEY} https://b.s3.amazonaws.com/o?X-Amz-Signature={SIGNATURE}&X-Amz-Security-Token={TOKEN}"
)
ON_AWS = ("--target", "aws", "--workshop", str(SMALL), "--yes", "--debug")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with_cloud = Shell(tmp_path_factory.mktemp("shell"))
    yield with_cloud.cloud()
    with_cloud.leave()


def written(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def test_no_planted_secret_is_shown_or_written_and_every_file_is_private(shell: Shell) -> None:
    env = {
        "AWS_ENDPOINT_URL": shell.endpoint, "AWS_ACCESS_KEY_ID": ID, "AWS_SECRET_ACCESS_KEY": KEY, "AWS_SESSION_TOKEN": TOKEN,
        "AWS_REGION": "us-west-2",
    }  # fmt: skip
    shown = []
    for service, operation, verb, code in (
        ("cloudformation", "CreateStack", "setup", 1), ("dynamodb", "DeleteTable", "teardown", 5),
    ):  # fmt: skip
        fault_add(
            shell.state, CloudFault("error", service=service, operation=operation, code="BadThing", message=ECHO, status=400)
        )
        for form in ((), ("--json",)):
            ended = shell.run(verb, *ON_AWS, *form, code=code, env=env)
            assert "BadThing" in ended.out + ended.err
            shown.append(ended.out + ended.err)
        faults_clear(shell.state)
    shell.run("teardown", *ON_AWS, env=env)
    shell.run("cloud", "stop")
    for secret, text in itertools.product(SECRETS, shown):
        assert secret not in text
    files = list(written(shell.state))
    assert {"runs.db", "cloud.log"} <= {path.name for path in files}
    assert {".json", ".html"} <= {path.suffix for path in files if path.parent.name == "receipts"}
    for secret, path in itertools.product(SECRETS, files):
        assert secret.encode() not in path.read_bytes(), path
    open_to_others = [path for path in [shell.state, *shell.state.rglob("*")] if stat.S_IMODE(path.lstat().st_mode) & 0o077]
    assert [path for path in open_to_others if shell.state / "sites" not in path.parents] == []
    shell.cloud()


@pytest.mark.parametrize("note", [f"https://b.s3.amazonaws.com/o?X-Amz-Signature={SIGNATURE}", f"key {ID}"])
def test_a_secret_in_a_parameter_is_refused_before_it_is_written_anywhere(shell: Shell, note: str) -> None:
    ended = shell.run("setup", "--workshop", str(SMALL), "--param", f"note={note}", code=2)
    assert "The parameter note holds a key, a token or a signed address" in ended.err
    for path in written(shell.state):
        assert SIGNATURE.encode() not in path.read_bytes() and ID.encode() not in path.read_bytes()


@pytest.mark.parametrize("name", ["", "runs.db", "runs.db-wal", "locks", "receipts", "sites", "sites/local", "cloud", "grants"])
def test_a_link_in_place_of_what_we_write_is_refused_and_nothing_behind_it_is_touched(tmp_path: Path, name: str) -> None:
    alone = Shell(tmp_path / "shell")
    victim = tmp_path / "victim"
    link = alone.state / name if name else alone.state
    if name.startswith("runs.db"):
        victim.write_text("precious")
    else:
        victim.mkdir()
        (victim / "precious").write_text("precious")
    link.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    link.symlink_to(victim)
    ended = alone.run("setup", "--workshop", str(SMALL), code=2)
    assert "symbolic link" in ended.err and "WORKSHOP_HOME" in ended.err
    assert [path.read_text() for path in [victim, *victim.rglob("*")] if path.is_file()] == ["precious"]
    link.unlink()


def test_a_lock_that_is_a_link_is_refused(shell: Shell, tmp_path: Path) -> None:
    shell.run("setup", "--workshop", str(SMALL), "--yes")
    (lock,) = (path for path in (shell.state / "locks").iterdir() if path.name.startswith("small-local"))
    lock.unlink()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    lock.symlink_to(victim)
    assert "symbolic link" in shell.run("teardown", "--workshop", str(SMALL), code=2).err
    assert victim.read_text() == "precious"
    lock.unlink()
    shell.run("teardown", "--workshop", str(SMALL))
    eventually(lambda: shell.inventory() == [])
