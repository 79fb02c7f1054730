"""The report: self-contained, complete, and safe whatever an API returned."""

from __future__ import annotations

import json
import re
import stat
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from tests.drill.named_regions import NamedRegions, NamedSandbox
from tests.drill.regions import EAST, WEST, DrillSandbox, Regions
from tests.unit.fakes.virtual_time import run
from workshop.drill.report import ReportFiles, ReportHeader, Targets, judge, write_report
from workshop.drill.run import DrillResult
from workshop.drill.svg import rows_for, ticks

HEADER = ReportHeader("global-serverless", "local", "000000000000", "1 March 2026")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> DrillResult:
    return run(DrillSandbox(tmp_path_factory.mktemp("drill"), Regions()).drill())


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> DrillResult:
    return run(NamedSandbox(tmp_path_factory.mktemp("named"), NamedRegions(interval=2.0, ttl=6)).through_name())


def report_of(result: DrillResult, folder: Path, targets: Targets | None = None) -> ReportFiles:
    wanted = targets or Targets()
    return write_report(folder / "reports", result, wanted, judge(result, wanted), HEADER)


def test_the_page_needs_nothing_but_itself(result: DrillResult, tmp_path: Path) -> None:
    page = report_of(result, tmp_path).html.read_text()
    assert re.findall(r"(?:src|href)=|@import|url\(|<script", page) == []
    for words in ("Targets met", "<svg", "RTO", "target 15 min"):
        assert words in page


def test_the_files_are_private(result: DrillResult, tmp_path: Path) -> None:
    files = report_of(result, tmp_path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (files.html, files.svg, files.json)} == {0o600}


def test_the_plot_is_xml_and_shows_every_request(result: DrillResult, tmp_path: Path) -> None:
    root = ET.fromstring(report_of(result, tmp_path).svg.read_text())
    name = "{http://www.w3.org/2000/svg}"
    crosses = [path for path in root.iter(f"{name}path") if path.get("stroke") == "#c1121f"]
    assert len(crosses) == result.figures.failed + 1, "one for each failed request, one in the legend"
    words = " ".join(text.text or "" for text in root.iter(f"{name}text"))
    for label in (WEST, EAST, "fault set", "failover", "fault reverted", "failback"):
        assert label in words


def test_the_json_has_the_figures_and_their_evidence(result: DrillResult, tmp_path: Path) -> None:
    found = json.loads(report_of(result, tmp_path).json.read_text())
    assert found["rto"]["seconds"] == round(result.figures.outage.rto or 0, 3)
    assert found["rto"]["target"] == 900
    assert found["rpo"]["acknowledged_writes"] == len(found["evidence"]["acknowledged"])
    assert found["failed_requests"] == sum(bool(request["why"]) for request in found["evidence"]["requests"])


def test_the_moments_in_the_json_have_the_names_of_its_first_version(result: DrillResult, tmp_path: Path) -> None:
    found = json.loads(report_of(result, tmp_path).json.read_text())
    marks = [moment["mark"] for moment in found["evidence"]["moments"] if moment["mark"] != "note"]
    expected = "load struck first-failure switched mended offered returned stopped converged"
    assert marks == expected.split()


def test_a_drill_through_a_name_shows_its_marks_its_bound_and_the_wiring(named: DrillResult, tmp_path: Path) -> None:
    files = report_of(named, tmp_path)
    words = " ".join(text.text or "" for text in ET.fromstring(files.svg.read_text()).iter("{http://www.w3.org/2000/svg}text"))
    for label in ("fault set", "first failed request", "checkers see it", "DNS leaves it", "last client led away", "failback"):
        assert label in words
    page = files.html.read_text()
    assert re.findall(r"(?:src|href)=|@import|url\(|<script", page) == []
    assert page.count("<svg") == 2
    for part in ("At most 20 s: 2 s x 3 + 2 s until the check turns", "keep an answer for its TTL (6 s)", "once a month: 99.9"):
        assert part in page


def test_the_json_of_a_drill_through_a_name_has_bound_marks_and_answers(named: DrillResult, tmp_path: Path) -> None:
    found = json.loads(report_of(named, tmp_path).json.read_text())
    assert (found["path"], found["dns"]["policy"], found["dns"]["ttl"]) == ("dns", "weighted", 6)
    assert found["rto"]["bound"] == found["rto"]["bound_seconds"] == 20
    assert found["dns"]["bound"] == {"interval": 2.0, "threshold": 3, "ttl": 6.0, "publication": 0.0}
    marks = found["dns"]["marks"]
    assert found["rto"]["seconds"] == pytest.approx(marks["people"] - marks["effect"], abs=0.002)
    assert sum(found["dns"]["answers"].values()) == len(found["evidence"]["answers"])
    assert 0.9999 < found["dns"]["availability_of_a_month"] < 1


def test_a_drill_without_a_name_has_none_of_it(result: DrillResult, tmp_path: Path) -> None:
    found = json.loads(report_of(result, tmp_path).json.read_text())
    assert (found["path"], found["dns"], found["rto"]["direct_seconds"]) == ("direct", None, None)
    assert "answers" not in found["evidence"]


def test_the_response_of_an_api_is_shown_as_text(result: DrillResult, tmp_path: Path) -> None:
    evil = replace(result.requests[0], why="<script>alert(1)</script>")
    page = report_of(replace(result, requests=(evil, *result.requests[1:])), tmp_path).html.read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_missed_target_is_the_headline(result: DrillResult, tmp_path: Path) -> None:
    page = report_of(result, tmp_path, Targets(rto=1)).html.read_text()
    assert "the target is 1 s" in page
    assert "Targets met" not in page


def test_labels_never_cover_each_other() -> None:
    placed = rows_for([(100, "fault set 5.0 s"), (110, "first failure"), (600, "failover"), (1240, "failback")], 16, 1250)
    assert [row for _, row, _ in placed][:3] == [0, 1, 0]
    assert placed[-1][2] == "end", "what would run over the edge is written to the left"


@pytest.mark.parametrize("most", [0.04, 1.3, 9.99, 25.4, 480])
def test_ticks_are_round_and_reach_the_end(most: float) -> None:
    marks = ticks(most)
    assert marks[0] == 0
    assert marks[-1] >= most
    assert len(marks) <= 14
