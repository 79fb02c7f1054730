"""The author's documentation agrees with the code."""

from __future__ import annotations

import re
from pathlib import Path

from workshop.definition.lint import lint
from workshop.definition.loader import known_kinds
from workshop.definition.variables import RESERVED
from workshop.steps.base import Placement

TEXT = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text(encoding="utf-8")


def test_the_example_is_a_sound_workshop(tmp_path):
    (example,) = (block for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL) if block.startswith("name:"))
    (tmp_path / "workshop.yaml").write_text(example, encoding="utf-8")
    (tmp_path / "api.yaml.j2").write_text("Resources: {}\n", encoding="utf-8")
    assert lint(str(tmp_path)) == []


def test_every_kind_is_listed_with_its_settings_and_places():
    rows = {row.split("`")[1]: row for row in TEXT.splitlines() if re.match(r"\| `\w+\.\w+` \|", row)}
    assert set(rows) == set(known_kinds())
    for name, kind in known_kinds().items():
        places = "any" if kind.placements == frozenset(Placement) else [place.value for place in kind.placements]
        assert all(f"`{place}`" in rows[name].split("|")[2] for place in places) if places != "any" else " any " in rows[name]
        for field in kind.Params.model_fields:
            assert f"`{field}`" in rows[name], f"{name} takes {field}"


def test_every_variable_is_listed():
    listed = {name for row in re.findall(r"^\| (`.*?) \|", TEXT, re.MULTILINE) for name in re.findall(r"`(\w+)", row)}
    assert set(RESERVED) <= listed
