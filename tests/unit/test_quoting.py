"""Foreign text on its way to people: whatever a terminal would obey is written as an escape, in texts, errors and JSON."""

from __future__ import annotations

import json

import pytest

from workshop.errors import DefinitionError, WorkshopError
from workshop.quoting import hidden, json_text, shown, visible

FORBIDDEN = [
    *(chr(n) for n in range(0x20) if chr(n) not in "\t\n"), *(chr(n) for n in range(0x7F, 0xA0)),
    *"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ud800",
]  # fmt: skip


@pytest.mark.parametrize("character", FORBIDDEN, ids=lambda c: f"U+{ord(c):04X}")
def test_what_a_terminal_obeys_is_an_escape_everywhere(character):
    text = f"a{character}b"
    for result in (
        visible(text),
        shown(text),
        json_text([text]),
        WorkshopError(text).what,
        DefinitionError("x", where=text).what,
    ):
        assert character not in result and "a" in result and "b" in result
    assert hidden(text)
    assert json.loads(json_text({text: [text]})) == {text: [text]}


def test_texts_of_several_lines_and_every_script_stay_as_they_are():
    text = "Größe 東京 עברית\n\tAccept 🎬 \u2028 end"
    assert visible(text) == text and json.loads(json_text(text)) == text and "東京" in json_text(text)
    assert visible("a\r\nb\rc") == "a\nb\\rc"
    assert visible(visible("a\x1b[2J")) == visible("a\x1b[2J") == "a\\x1b[2J"


def test_every_part_of_an_error_is_safe_to_show():
    error = DefinitionError("what\x1b", "why\x9b", "fix\u202e", where="file\x07", field="field\x7f", code="code\x08")
    whole = f"{error} {error.args} {error.where} {error.field} {error.problem} {error.document()}"
    assert not any(character in whole for character in FORBIDDEN)
