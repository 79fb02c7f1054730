"""The wheel as users get it: installed outside the checkout, beside exactly the packages that it declares and nothing else."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.cloud.shell import REGIONS, ROOT, Shell

pytestmark = pytest.mark.cloud
PACKAGE = "aws-workshop"


def closure(requirements):
    """The names of the distributions that the requirements lead to."""
    found, todo = set(), list(requirements)
    while todo:
        requirement = todo.pop()
        extras = requirement.extras or {""}
        marker = requirement.marker
        if marker and not any(marker.evaluate({"extra": extra}) for extra in {"", *requirement.extras}):
            continue
        key = (requirement.name.lower().replace("_", "-"), frozenset(extras))
        if key in found:
            continue
        found.add(key)
        for text in importlib.metadata.requires(requirement.name) or []:
            needed = Requirement(text)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                needed.marker = None
                todo.append(needed)
    return {name for name, _ in found}


def declared(wheel, extra):
    """What the wheel itself says that it needs."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (entry for entry in archive.namelist() if entry.endswith(".dist-info/METADATA"))
        metadata = importlib.metadata.PathDistribution(zipfile.Path(archive, name.rpartition("/")[0] + "/")).metadata
    for text in metadata.get_all("Requires-Dist"):
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            requirement.marker = None
            yield requirement


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of the sources as they are."""
    folder = tmp_path_factory.mktemp("wheel")
    isolation = ["--no-isolation"] if importlib.util.find_spec("hatchling") else []
    command = [sys.executable, "-m", "build", "--wheel", *isolation, "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


def installed(folder, wheel, extra):
    """A fresh environment with the wheel; beside it, as links, the packages that it declares and no others."""
    environment = folder / "environment"
    venv.EnvBuilder(with_pip=False).create(environment)
    (site,) = environment.glob("lib/python*/site-packages")
    for name in closure(declared(wheel, extra)):
        distribution = importlib.metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or [] if file.parts[0] not in ("..", "__pycache__")}:
            source = Path(distribution.locate_file(top))
            if source.exists() and not (site / top).exists():
                (site / top).symlink_to(source)
    target = f"{wheel}[{extra}]" if extra else str(wheel)
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(environment / "bin" / "python"),
        "install",
        "--no-index",
        "-q",
        target,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return environment / "bin"


@pytest.fixture
def outside(tmp_path, wheel):
    """Makes shells whose `workshop` is the installed wheel."""
    shells = []

    def make(extra):
        shell = Shell(tmp_path / f"shell-{extra or 'plain'}", more={"PYTHONPATH": ""})
        shell.tools = installed(shell.folder, wheel, extra)
        shells.append(shell)
        return shell

    yield make
    for shell in shells:
        shell.leave()


def test_the_wheel_holds_the_workshops_and_no_sources_of_media(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for own in (
        "global-serverless/workshop.yaml",
        "multi-region-backend/workshop.yaml",
        "wild-rydes/workshop.yaml",
        "_shared/web/scripts/dom.js",
    ):
        assert f"workshop/_builtin/templates/{own}" in names
    assert "workshop/_builtin/sample-data.json" in names
    assert any(name.endswith("/web/media/clips/01.webm") for name in names)
    assert not [name for name in names if "media-source" in name or name.startswith("tests") or "ruff_cache" in name]
    assert wheel.stat().st_size < 12_000_000


def test_the_installed_wheel_sets_up_and_takes_down(outside):
    shell = outside("local")
    assert str(ROOT) not in shell.call("python", "-c", "import workshop; print(workshop.__file__)").out
    # Without it the tokens of the cloud's user pools carry no signature, and no authorizer takes them.
    shell.call("python", "-c", "import cryptography")
    shell.cloud()
    made = shell.document("setup")
    assert {step["outcome"] for step in made["steps"]} == {"created"}
    assert [shell.count(region) for region in REGIONS] == [13, 13]
    assert json.loads(shell.get(made["apis"]["us-west-2"]["path_url"])) == {"ping": "ok"}
    assert b"<html" in shell.get(made["web"]["globalflix"])
    assert b"--paper" in shell.get(made["web"]["globalflix"].replace("globalflix.html", "styles/base.css"))
    shell.run("definition", "new", "my-films", "--from", "global-serverless")
    assert shell.run("definition", "lint", "my-films").out == "my-films is sound.\n"
    assert shell.document("teardown")["leftovers"] == []
    assert shell.inventory() == []


def test_without_the_extra_the_local_target_says_how_to_install_it(outside):
    shell = outside("")
    shell.call("python", "-c", "import importlib.util as u; assert not u.find_spec('ministack') and not u.find_spec('hypercorn')")
    for words in (("setup",), ("cloud", "start")):
        done = shell.run(*words, code=1)
        assert "The local cloud is not installed." in done.err
        assert "pip install 'aws-workshop[local]'" in done.err
    assert shell.run("definition", "lint", "global-serverless").out == "global-serverless is sound.\n"
    assert "NoCredentials" in shell.run("setup", "--target", "aws", "--yes", code=1).err
