"""A workshop that the version before set up, with the journal and the cloud that it left: seen, changed and removed by this one.

`tests/vectors/home-0.1.tar.gz` is the state folder of version 0.1.0 (commit e9705a1) after `workshop setup --through backend`
on the local cloud in the profile `instant`, and `workshop cloud stop`.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from tests.cloud.shell import REGIONS, Shell

pytestmark = pytest.mark.cloud
VECTOR = Path(__file__).parents[1] / "vectors" / "home-0.1.tar.gz"


@pytest.fixture
def upgraded(fresh: Shell) -> Shell:
    """A shell with the state folder of the version before, its cloud started by this version."""
    fresh.state.mkdir(mode=0o700)
    with tarfile.open(VECTOR) as archive:
        archive.extractall(fresh.state, filter="data")
    return fresh.cloud()


def test_what_the_version_before_set_up_is_seen_changed_and_removed(upgraded):
    status = upgraded.document("status")
    states = {(step["id"], step["region"]): step["state"] for step in status["steps"] if step["module"] == "backend"}
    assert {states["table", "us-west-2"], states["replica", "eu-west-1"], states["data", "us-west-2"]} == {"ready"}
    assert status["target"] == "local" and set(status["apis"]) == set(REGIONS)
    outcomes = {(step["id"], step["region"]): step["outcome"] for step in upgraded.document("setup")["steps"]}
    assert outcomes["table", "us-west-2"] == outcomes["replica", "eu-west-1"] == outcomes["data", "us-west-2"] == "unchanged"
    assert outcomes["films", "us-west-2"] == outcomes["films", "eu-west-1"] == "created"
    assert [upgraded.count(region) for region in REGIONS] == [13, 13]
    removed = upgraded.document("teardown")
    assert removed["leftovers"] == [] and upgraded.inventory() == []
    assert {step["outcome"] for step in removed["steps"] if step["module"] == "backend"} <= {"removed", "absent"}
