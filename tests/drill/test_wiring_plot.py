"""The drawing of a wiring: every record and check is in it, and what is wrong is red."""

from __future__ import annotations

from xml.etree import ElementTree

from tests.unit.wiring_builders import EAST, FIXES, NAME, WEST, crossed, record, straight, with_records
from workshop.drill.svg import BAD
from workshop.drill.wiring_plot import draw_wiring
from workshop.steps.route53.proof import Proof
from workshop.steps.route53.wiring import prove

NAMESPACE = "{http://www.w3.org/2000/svg}"


def drawn(proof: Proof) -> ElementTree.Element:
    return ElementTree.fromstring(draw_wiring(proof))


def wires(picture: ElementTree.Element) -> list[ElementTree.Element]:
    return picture.findall(f"{NAMESPACE}line")


def texts(picture: ElementTree.Element) -> list[str]:
    return [each.text or "" for each in picture.iter(f"{NAMESPACE}text")]


def test_a_straight_wiring_has_level_wires_and_nothing_red() -> None:
    picture = drawn(prove(straight(), NAME, FIXES))
    assert all(wire.get("y1") == wire.get("y2") for wire in wires(picture)) and len(wires(picture)) == 2
    assert BAD not in draw_wiring(prove(straight(), NAME, FIXES))
    assert {NAME, WEST, EAST} <= set(texts(picture))


def test_crossed_wires_cross_in_red_and_are_not_told_by_colour_alone() -> None:
    picture = drawn(prove(crossed(straight()), NAME, FIXES))
    one, two = wires(picture)
    assert (one.get("y1"), one.get("y2")) == (two.get("y2"), two.get("y1")) and one.get("y1") != one.get("y2")
    assert {wire.get("stroke") for wire in (one, two)} == {BAD}
    assert "none" not in {wire.get("stroke-dasharray") for wire in (one, two)} and picture.findall(f"{NAMESPACE}path")
    assert any("carry each other's health check" in text for text in texts(picture))


def test_a_record_without_a_check_and_one_whose_check_is_gone_are_drawn() -> None:
    world = with_records(straight(), record(WEST, HealthCheckId=None), record(EAST, HealthCheckId="gone<&"))
    assert {"no health check", "does not exist", "gone<&"} <= set(texts(drawn(prove(world, NAME, FIXES))))


def test_a_name_without_records_is_drawn_with_its_reason() -> None:
    proof = prove(straight(), "other.films.example.com", FIXES)
    assert any("nothing to fail over to" in text for text in texts(drawn(proof)))
