"""The room depends on named functions of one version of MiniStack, and names the one that is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from types import SimpleNamespace

import pytest

from workshop.cloud.patches import PINNED, PinnedVersionError, check_version, patch, require_attribute

RECORD = """
import json
from workshop.cloud import patches

seen = []
original = patches.require_attribute

def noted(owner, name):
    seen.append([getattr(owner, "__name__", type(owner).__name__), name])
    return original(owner, name)

patches.require_attribute = noted
import random
import workshop.cloud.emulator as emulator
from pathlib import Path
from workshop.cloud.timing import Timing
emulator.Emulator(Timing("instant", 1.0), lambda names: None, random.Random(), lambda: None, Path("."), ())
print(json.dumps(seen))
"""

WITHOUT = """
import importlib, os, random
from functools import reduce
from pathlib import Path
from workshop.cloud.timing import Timing
import workshop.cloud.emulator as emulator

for module, rest, name in {cases}:
    process = os.fork()
    if not process:
        owner = reduce(getattr, rest.split(), importlib.import_module(module))
        delattr(owner, name)
        try:
            emulator.Emulator(Timing("instant", 1.0), lambda names: None, random.Random(), lambda: None, Path("."), ())
        except Exception as error:
            print(type(error).__name__, error, flush=True)
        os._exit(0)
    os.waitpid(process, 0)
"""
CASES = (
    ("ministack.services.dynamodb", "", "_set_item"),
    ("ministack.services.dynamodb", "", "_normalize_table_name"),
    ("ministack.services.apigateway_v1", "", "_call_lambda_raw"),
    ("ministack.core.lambda_runtime", "Worker", "_drain_stderr_bounded"),
    ("ministack.services.cloudformation.stacks", "", "_provision_keeping_seed"),
    ("ministack.services.route53", "", "_new_change"),
    ("ministack.services.route53", "", "_zone_id"),
    ("ministack.services.acm", "", "_cert_shape"),
    ("ministack.services.apigateway_v1", "", "_base_path_mappings"),
    ("ministack.services.cloudfront", "", "_dist_config_el"),
    ("ministack.services.cognito", "", "_update_identity_provider"),
    ("ministack.app", "", "call_service_handler_sync"),
)


def python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_installed_ministack_is_the_pinned_one() -> None:
    assert version("ministack") == PINNED
    check_version()


def test_a_missing_function_is_named_with_the_command_that_helps() -> None:
    with pytest.raises(PinnedVersionError) as caught:
        patch(SimpleNamespace(__name__="ministack.services.dynamodb"), "_replicate_write", lambda original: original)
    assert "ministack.services.dynamodb has no _replicate_write" in caught.value.why
    assert f"pip install 'ministack=={PINNED}'" in caught.value.fix


def test_an_existing_attribute_is_replaced() -> None:
    owner = SimpleNamespace(__name__="owner", name=1)
    patch(owner, "name", lambda original: original + 1)
    assert require_attribute(owner, "name") == 2


def test_every_function_is_checked_before_the_cloud_serves() -> None:
    seen = {(owner, name) for owner, name in json.loads(python(RECORD))}
    names = {name for _, name in seen}
    assert len(seen) > 70
    assert {
        "_set_item",
        "_remove_item",
        "_replicate_write",
        "handle_request",
        "_call_lambda_raw",
        "record_metric",
    } <= names


def test_without_one_of_them_nothing_is_served() -> None:
    """Each in a process forked from one that has loaded everything."""
    printed = python(WITHOUT.format(cases=CASES)).splitlines()
    assert len(printed) == len(CASES)
    for line, (_, _, name) in zip(printed, CASES, strict=True):
        assert line.startswith("PinnedVersionError") and name in line


def test_what_ministack_reads_at_import_is_set_before_it_is_imported():
    """The server's module prepares the process: imported by itself, it may not bring MiniStack with it."""
    look = "import sys, workshop.cloud.server; print([name for name in sys.modules if name.startswith('ministack')])"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
