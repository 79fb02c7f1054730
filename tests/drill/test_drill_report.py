"""The report: self-contained, honest, and safe whatever an API answered."""

from __future__ import annotations

import json
import re
import stat
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

from tests.drill.regions import EAST, WEST, Regions, Stage
from tests.unit.fakes.virtual_time import run
from workshop.drill.report import About, Written, write_report
from workshop.drill.run import Drilled
from workshop.drill.svg import rows_for, ticks
from workshop.drill.verdict import Targets, judge

ABOUT = About("global-serverless", "local", "000000000000", "1 March 2026")


def drilled(folder: Path) -> Drilled:
    return run(Stage(folder, Regions()).drill())


def written(folder: Path, drill: Drilled, targets: Targets | None = None) -> Written:
    wanted = targets or Targets()
    return write_report(folder / "reports", drill, wanted, judge(drill, wanted), ABOUT)


def test_the_page_needs_nothing_but_itself(tmp_path: Path) -> None:
    page = written(tmp_path, drilled(tmp_path)).html.read_text()
    assert not re.findall(r"(?:src|href)=|@import|url\(|<script", page)
    assert "Targets met" in page and "<svg" in page and "RTO" in page and "target 15 min" in page


def test_the_files_are_private(tmp_path: Path) -> None:
    files = written(tmp_path, drilled(tmp_path))
    assert {stat.S_IMODE(path.stat().st_mode) for path in (files.html, files.svg, files.json)} == {0o600}


def test_the_plot_is_xml_and_shows_every_request(tmp_path: Path) -> None:
    drill = drilled(tmp_path)
    root = ET.fromstring(written(tmp_path, drill).svg.read_text())
    name = "{http://www.w3.org/2000/svg}"
    crosses = [path for path in root.iter(f"{name}path") if path.get("stroke") == "#c1121f"]
    assert len(crosses) == drill.figures.failed + 1, "one for each failed request, one in the legend"
    words = " ".join(text.text or "" for text in root.iter(f"{name}text"))
    assert all(word in words for word in (WEST, EAST, "fault set", "failover", "fault taken back", "failback"))


def test_the_json_holds_the_figures_and_their_evidence(tmp_path: Path) -> None:
    drill = drilled(tmp_path)
    found = json.loads(written(tmp_path, drill).json.read_text())
    assert found["rto"]["seconds"] == round(drill.figures.outage.rto or 0, 3) and found["rto"]["target"] == 900
    assert found["rpo"]["acknowledged_writes"] == len(found["evidence"]["acknowledged"])
    assert found["failed_requests"] == sum(bool(request["why"]) for request in found["evidence"]["requests"])


def test_what_an_api_answered_is_shown_as_text(tmp_path: Path) -> None:
    drill = drilled(tmp_path)
    evil = replace(drill.requests[0], why="<script>alert(1)</script>")
    page = written(tmp_path, replace(drill, requests=(evil, *drill.requests[1:]))).html.read_text()
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_a_missed_target_is_the_headline(tmp_path: Path) -> None:
    page = written(tmp_path, drilled(tmp_path), Targets(rto=1)).html.read_text()
    assert "the target is 1 s" in page and "Targets met" not in page


def test_labels_never_cover_each_other() -> None:
    placed = rows_for([(100, "fault set 5.0 s"), (110, "first failure"), (600, "failover"), (1240, "failback")], 16, 1250)
    assert [row for _, row, _ in placed][:3] == [0, 1, 0]
    assert placed[-1][2] == "end", "what would run over the edge is written to the left"


def test_ticks_are_round_and_reach_the_end() -> None:
    for most in (0.04, 1.3, 9.99, 25.4, 480):
        marks = ticks(most)
        assert marks[0] == 0 and marks[-1] >= most and len(marks) <= 14
