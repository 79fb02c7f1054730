"""One change at a time: the second is told who is at work, and a killed holder holds nothing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from workshop.engine.lock import hold
from workshop.engine.scope import Scope
from workshop.errors import UsageError, WorkshopError

SCOPE = Scope("films", "aws", "111122223333")


HOLDER = """
import pathlib, signal, sys
from workshop.engine.scope import Scope
from workshop.engine.lock import hold
with hold(pathlib.Path(sys.argv[1]), Scope("films", "aws", "111122223333"), "setup"):
    print("held", flush=True)
    signal.pause()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of `tmp_path`."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_the_second_is_refused_and_told_who_is_at_work(tmp_path, holder):
    with pytest.raises(WorkshopError) as caught, hold(tmp_path, SCOPE, "teardown"):
        pytest.fail("both hold the lock")
    assert caught.value.code == "Busy"
    assert "workshop setup" in caught.value.why and str(holder.pid) in caught.value.why
    assert "workshop status" in caught.value.fix


def test_a_holder_that_was_killed_holds_nothing(tmp_path, holder):
    holder.kill()
    holder.wait(30)
    with hold(tmp_path, SCOPE, "teardown"):
        pass


def test_another_account_target_or_workshop_is_free(tmp_path):
    with (
        hold(tmp_path, SCOPE, "setup"),
        hold(tmp_path, Scope("films", "aws", "2"), "setup"),
        hold(tmp_path, Scope("films", "local", "111122223333"), "setup"),
        hold(tmp_path, Scope("other", "aws", "111122223333"), "setup"),
    ):
        assert len(list(tmp_path.iterdir())) == 4


def test_the_lock_is_free_after_the_block_whatever_happened_in_it(tmp_path):
    with pytest.raises(ZeroDivisionError), hold(tmp_path / "locks", SCOPE, "setup"):
        raise ZeroDivisionError
    with hold(tmp_path / "locks", SCOPE, "setup"):
        pass
    assert stat.S_IMODE((tmp_path / "locks").stat().st_mode) == 0o700


def test_a_holder_that_has_not_written_its_name_yet_still_refuses(tmp_path):
    with hold(tmp_path, SCOPE, "setup"):
        (path,) = tmp_path.iterdir()
        os.truncate(path, 0)
        with pytest.raises(WorkshopError, match="another workshop command"), hold(tmp_path, SCOPE, "setup"):
            pytest.fail("both hold the lock")


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path):
    with hold(tmp_path / "locks", SCOPE, "setup"):
        (path,) = (tmp_path / "locks").iterdir()
    path.unlink()
    (tmp_path / "precious").write_text("precious")
    path.symlink_to(tmp_path / "precious")
    with pytest.raises(UsageError), hold(tmp_path / "locks", SCOPE, "setup"):
        pytest.fail("it was followed")
    assert (tmp_path / "precious").read_text() == "precious"
