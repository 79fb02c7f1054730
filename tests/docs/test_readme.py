"""The README's own commands, run as they are printed: every block marked `console`, on a shell of its own."""

from __future__ import annotations

import re

import pytest

from tests.cloud.shell import ROOT, Shell

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```console\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands(block):
    """The lines after a `$`, each with the lines that it is continued on."""
    joined = block.replace("\\\n", "\\\0")
    return [line[2:].replace("\\\0", "\\\n") for line in joined.splitlines() if line.startswith("$ ")]


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    reader = Shell(tmp_path_factory.mktemp("reader"))
    yield reader.cloud()
    reader.leave()


def test_there_are_blocks_to_run():
    assert len(BLOCKS) >= 2
    assert all(commands(block) for block in BLOCKS)


@pytest.mark.parametrize("block", BLOCKS, ids=[commands(block)[0] for block in BLOCKS])
def test_a_block_of_the_readme_runs_as_printed(shell, block):
    shell.bash("\n".join(commands(block)))


def test_nothing_is_left_after_the_readme(shell):
    assert shell.inventory() == []


def test_every_file_that_the_readme_links_to_is_there():
    linked = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert linked
    missing = [link for link in linked if not (ROOT / link).exists()]
    assert missing == []


def test_the_readme_names_every_exit_code():
    from workshop.errors import ExitCode

    (line,) = re.findall(r"Exit codes: (.*?)\n\n", README, re.DOTALL)
    assert {int(number) for number in re.findall(r"\b\d+\b", line)} == {int(code) for code in ExitCode}
