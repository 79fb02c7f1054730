"""The commands of the README and of the workshops' pages, run as they are printed: every block marked `console`, on one shell."""

from __future__ import annotations

import re

import pytest

from tests.cloud.shell import ROOT, Shell

README = (ROOT / "README.md").read_text()
PAGES = ("docs/multi-region-backend.md", "docs/wild-rydes.md")


def blocks(text):
    """The blocks of a document whose lines are run."""
    return re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


BLOCKS = [*blocks(README), *(block for page in PAGES for block in blocks((ROOT / page).read_text()))]


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
    assert len(blocks(README)) >= 2 and all(blocks((ROOT / page).read_text()) for page in PAGES)
    assert all(commands(block) for block in BLOCKS)


@pytest.mark.parametrize("block", BLOCKS, ids=[commands(block)[0] for block in BLOCKS])
def test_a_block_runs_as_printed(shell, block):
    shell.bash("\n".join(commands(block)))


def test_nothing_is_left_after_them(shell):
    assert shell.inventory() == []


@pytest.mark.parametrize("page", ["README.md", *PAGES])
def test_every_file_that_a_document_links_to_is_there(page):
    file = ROOT / page
    linked = [link for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", file.read_text()) if "://" not in link]
    assert linked
    assert [link for link in linked if not (file.parent / link).exists()] == []


def test_the_readme_names_every_exit_code():
    from workshop.errors import ExitCode

    (line,) = re.findall(r"Exit codes: (.*?)\n\n", README, re.DOTALL)
    assert {int(number) for number in re.findall(r"\b\d+\b", line)} == {int(code) for code in ExitCode}
