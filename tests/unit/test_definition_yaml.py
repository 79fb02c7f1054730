"""How a YAML file becomes plain values: exact lines, no surprises, no bombs."""

from __future__ import annotations

from pathlib import Path

import pytest

from workshop.definition.yamlfile import MAX_BYTES, parse, read
from workshop.errors import DefinitionError

PATH = Path("workshop.yaml")


def test_every_field_knows_its_line():
    document = parse("name: a\nsteps:\n  - id: one\n    needs: [x]\n  - id: two\n", PATH)
    assert document.line(("name",)) == 1
    assert document.line(("steps", 1)) == 5
    assert document.line(("steps", 0, "needs", 0)) == 4
    assert document.line(("steps", 1, "needs")) == 5, "a field that is missing has the line of what it is missing in"


def test_fields_are_named_by_the_ids_of_steps():
    document = parse("modules:\n  - name: backend\n    steps:\n      - {id: api, in: each}\n", PATH)
    assert document.dotted(("modules", 0, "steps", 0, "in")) == "modules.backend.steps.api.in"


@pytest.mark.parametrize("text", ["no", "on", "yes", "01", "2026-01-01", "1_000", "0x1f", ".5", "12e", "1:30", "Infinity", "y"])
def test_words_that_look_special_in_other_readers_stay_text(text):
    assert parse(f"value: {text}", PATH).data == {"value": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-3", -3),
        ("1.5", 1.5),
        ("true", True),
        ("null", None),
        ("'12'", "12"),
        ("", None),
        ("''", ""),
    ],
)
def test_numbers_truth_and_null_are_read_and_quotes_make_text(text, value):
    assert parse(f"value: {text}", PATH).data == {"value": value}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "first in line 1"),
        ("a: [1, 2\nb: 3\n", 2, "YAML"),
        ("a: 1\n\tb: 2\n", 2, "YAML"),
        ("- one\n", 1, "a list"),
        ("", 1, "empty"),
        ("just words\n", 1, "one value"),
        ("a: 1\n---\nb: 2\n", 2, "several documents"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, "tag"),
        ("a: &x {b: *x}\n", 1, "an alias inside the value that the alias repeats"),
        ("a: *x\n", 1, "undefined alias"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, "Merge keys"),
        ("{a: 1}: 2\n", 1, "plain text"),
        ("a: " + "[" * 60 + "]" * 60, 1, "nested"),
    ],
)
def test_what_cannot_be_read_names_its_line(text, line, said):
    with pytest.raises(DefinitionError, match=said) as caught:
        parse(text, PATH)
    assert caught.value.where == f"workshop.yaml:{line}"
    assert caught.value.exit_code == 2


def test_a_value_that_is_repeated_by_an_alias_keeps_the_line_where_it_is_written():
    document = parse("a: &x {b: 1}\nc: *x\nd: [*x]\n", PATH)
    assert document.line(("c",)) == 2
    assert document.line(("c", "b")) == 1
    assert document.line(("d", 0)) == 1


def test_a_long_text_repeated_many_times_is_refused_although_its_values_are_few():
    text = f"a: &a {'x' * 500_000}\nb: [*a, *a, *a, *a]\n"
    with pytest.raises(DefinitionError, match="more than 2,000,000 characters"):
        parse(text, PATH)


def test_an_alias_repeats_a_value_and_a_bomb_of_aliases_is_refused():
    assert parse("a: &x [1, 2]\nb: *x\n", PATH).data == {"a": [1, 2], "b": [1, 2]}
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    with pytest.raises(DefinitionError, match="more than 40,000 values"):
        parse(bomb, PATH)


def test_aliases_do_not_nest_deeper_than_values_that_are_written_out():
    chain = "".join(f"a{n}: &a{n} {'[' * 9}{f'*a{n - 1}' if n else ''}{']' * 9}\n" for n in range(9))
    with pytest.raises(DefinitionError, match="nested deeper than 40 levels"):
        parse(chain, PATH)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r'title: "\e[2Jgone"', r"'\\x1b\[2Jgone' holds the character \\x1b"),
        (r'"na\x00me": x', r"\\x00"),
        ('title: "one\\rtwo"', r"\\r"),
        ("title: safe\u202egnihton", r"\\u202e"),
    ],
)
def test_a_text_that_looks_like_another_one_is_refused(text, said):
    with pytest.raises(DefinitionError, match=said) as caught:
        parse(f"a: 1\n{text}\n", PATH)
    assert caught.value.where == "workshop.yaml:2" and caught.value.args[0].isprintable()


def test_a_tag_in_a_message_holds_nothing_that_a_terminal_obeys():
    for tag in ("!!%1bX", "!%1bX"):
        with pytest.raises(DefinitionError, match="tag") as caught:
            parse(f"a: {tag} x\n", PATH)
        assert str(caught.value).isprintable()


def test_texts_of_several_lines_and_of_any_language_are_kept():
    text = "a: |\n  one\n  two\tthree\nb: größe 日本 🎬\n"
    assert parse(text.replace("\n", "\r\n"), PATH).data == {"a": "one\ntwo\tthree\n", "b": "größe 日本 🎬"}


def test_a_file_that_is_too_large_or_not_text_is_refused(tmp_path):
    large, latin, missing = tmp_path / "large.yaml", tmp_path / "latin.yaml", tmp_path / "missing.yaml"
    large.write_bytes(b"#" * (MAX_BYTES + 1))
    latin.write_bytes(b"name: a\ntitle: caf\xe9\n")
    with pytest.raises(DefinitionError, match="too large"):
        read(large)
    with pytest.raises(DefinitionError, match="UTF-8") as caught:
        read(latin)
    assert caught.value.where.endswith("latin.yaml:2")
    with pytest.raises(DefinitionError, match="cannot be read"):
        read(missing)


def test_a_byte_order_mark_does_not_matter(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfname: a\n")
    assert read(tmp_path / "a.yaml").data == {"name": "a"}
