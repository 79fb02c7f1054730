"""The lock files agree with pyproject.toml, and `make demo` and `make test` install from them alone. Needs no network."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.cloud.shell import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BUILD = PROJECT["build-system"]["requires"]
RUNTIME = PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["local"]
DEV = PROJECT["project"]["optional-dependencies"]["dev"]
DIRECT = {"demo": RUNTIME + BUILD, "dev": RUNTIME + DEV + BUILD, "constraints": RUNTIME, "uv": ["uv"]}
PYTHONS = [
    found.group(1)
    for classifier in PROJECT["project"]["classifiers"]
    if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", classifier))
]


def locked(name):
    """Of each entry of a lock file: the requirement, and its hashes."""
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().replace("\\\n", " ").splitlines()
    entries = [line for line in lines if line.strip() and not line.startswith("#")]
    return [(Requirement(entry.partition(" --hash")[0]), re.findall(r"--hash=(\S+)", entry)) for entry in entries]


def versions(name):
    """The locked versions of each distribution: more than one where the platform or the Python decides."""
    found = {}
    for requirement, _ in locked(name):
        (pin,) = requirement.specifier
        assert pin.operator == "==", f"{requirement} is not locked"
        found.setdefault(canonicalize_name(requirement.name), set()).add(pin.version)
    return found


@pytest.mark.parametrize("name", ["demo", "dev", "uv"])
def test_every_locked_package_has_hashes(name):
    assert locked(name)
    for requirement, hashes in locked(name):
        assert hashes, f"{requirement} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes)


@pytest.mark.parametrize(("name", "direct"), DIRECT.items(), ids=DIRECT)
def test_every_dependency_is_locked_to_a_version_that_pyproject_allows(name, direct):
    found = versions(name)
    for requirement in map(Requirement, direct):
        assert canonicalize_name(requirement.name) in found, f"{requirement} is not in {name}.txt: make lock"
        for version in found[canonicalize_name(requirement.name)]:
            assert requirement.specifier.contains(version, prereleases=True), (
                f"{name}.txt has {version}, not {requirement}: make lock"
            )


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(("name", "direct"), DIRECT.items(), ids=DIRECT)
def test_a_dependency_is_locked_exactly_once_for_each_python_and_platform(name, direct, python):
    for platform, machine in (("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "x86_64"), ("darwin", "arm64")):
        environment = {
            "python_version": python,
            "python_full_version": f"{python}.1",
            "sys_platform": platform,
            "platform_machine": machine,
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
        }
        taken = [
            canonicalize_name(entry.name) for entry, _ in locked(name) if not entry.marker or entry.marker.evaluate(environment)
        ]
        assert len(taken) == len(set(taken))
        wanted = [needed for needed in map(Requirement, direct) if needed.marker is None or needed.marker.evaluate(environment)]
        assert {canonicalize_name(needed.name) for needed in wanted} <= set(taken)


def test_what_is_installed_to_use_is_what_is_tested():
    tested = versions("dev")
    for name in ("demo", "constraints"):
        different = {package: found for package, found in versions(name).items() if not found <= tested.get(package, set())}
        assert different == {}
    assert set(versions("constraints")) <= set(versions("demo"))


@pytest.fixture
def install(tmp_path):
    """Runs the installation with a Python whose pip only notes what it was called with, and fails at the words given."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    calls = tmp_path / "calls"

    def run(failing):
        (tmp_path / "python").write_text(
            f'#!/bin/sh\n[ "$1" = -m ] || exec {sys.executable} "$@"\necho "$@" >>{calls}\n'
            f'case "$*" in *"{failing}"*) echo "ERROR: No matching distribution"; exit 1;; esac\n'
        )
        (tmp_path / "python").chmod(0o755)
        command = ["scripts/install-locked", str(tmp_path), "demo"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done, calls.read_text().splitlines()

    return run


def test_only_locked_wheels_are_downloaded_and_each_is_compared_with_its_hash(install):
    done, (packages, project, _) = install("nothing fails")
    assert done.returncode == 0
    assert {"--require-hashes", "--only-binary", ":all:", "requirements/demo.txt"} <= set(packages.split())
    assert {"--no-index", "--no-deps", "--no-build-isolation"} <= set(project.split())


def test_a_python_that_the_lock_does_not_know_is_told_which_it_knows(install):
    done, calls = install("--require-hashes")
    assert done.returncode == 1
    assert len(calls) == 1, "nothing more is installed"
    assert f"covers Python {PYTHONS[0]} to {PYTHONS[-1]}" in done.stderr
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in done.stderr
    assert "make PYTHON=" in done.stderr


def test_a_lock_that_is_older_than_pyproject_names_the_command_that_renews_it(install):
    done, _ = install("pip --quiet --disable-pip-version-check check")
    assert done.returncode == 1
    assert "make lock" in done.stderr


def test_the_make_targets_install_from_the_lock_alone():
    makefile = (ROOT / "Makefile").read_text()
    for line in makefile.splitlines():
        assert "pip install" not in line or "--require-hashes" in line, line
    assert "install-locked $(BIN) demo" in makefile
    assert "install-locked $(BIN) dev" in makefile
