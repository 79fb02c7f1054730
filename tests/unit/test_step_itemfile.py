"""The reader of data files: every mistake is named with its place."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from workshop.errors import UsageError
from workshop.steps.dynamodb.itemfile import read_items, validate

KEYS = {"PK": "S", "SK": "S"}
TABLE = "films"


def put(pk: str = "a", sk: str = "1", **more):
    return {"PutRequest": {"Item": {"PK": {"S": pk}, "SK": {"S": sk}, **more}}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.json"


def written(path: Path, *requests, table: str = TABLE) -> Path:
    path.write_text(json.dumps({table: list(requests)}), encoding="utf-8")
    return path


def problem(path: Path, keys=KEYS) -> str:
    with pytest.raises(UsageError) as caught:
        validate(path, TABLE, keys)
    assert caught.value.exit_code == 2 and caught.value.why == "Nothing was written." and caught.value.fix
    assert str(path) in caught.value.what
    return caught.value.what


def test_items_come_in_order_with_their_numbers(path):
    written(path, put("a", "1"), put("a", "2", Title={"S": "Ashland"}))
    first, second = read_items(path, TABLE)
    assert (first.number, second.number) == (1, 2)
    assert second.attributes["Title"] == {"S": "Ashland"}
    assert validate(path, TABLE, KEYS) == 2


def test_the_sample_data_is_read(path):
    sample = Path(__file__).parents[2] / "sample-data.json"
    assert validate(sample, "global-serverless", KEYS) == 13


def test_every_type_of_value_becomes_what_boto3_takes(path):
    written(
        path,
        put(
            N={"N": "-1.5E+3"},
            B={"B": base64.b64encode(b"\x00\xff").decode()},
            BOOL={"BOOL": False},
            NULL={"NULL": True},
            M={"M": {"a": {"L": [{"N": "1"}, {"M": {}}]}}},
            SS={"SS": ["a", "b"]},
            NS={"NS": ["1", "2"]},
            BS={"BS": ["AA==", "AQ=="]},
        ),
    )
    (item,) = read_items(path, TABLE)
    assert item.attributes["B"] == {"B": b"\x00\xff"} and item.attributes["BS"] == {"BS": [b"\x00", b"\x01"]}
    assert item.attributes["M"] == {"M": {"a": {"L": [{"N": "1"}, {"M": {}}]}}}
    assert item.attributes["NULL"] == {"NULL": True} and item.attributes["N"] == {"N": "-1.5E+3"}


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ('{"films": [%s], "films": [%s]}', "films"),
        ('{"films": [{"PutRequest": {"Item": {"PK": {"S": "a"}, "SK": {"S": "b"}, "PK": {"S": "c"}}}}]}', "PK"),
    ],
)
def test_a_key_that_occurs_twice_is_refused_instead_of_losing_one_of_the_two(path, content, name):
    path.write_text(content.replace("%s", json.dumps(put())))
    assert f"the key '{name}' occurs twice" in problem(path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "is not JSON"),
        ("   ", "is not JSON"),
        ("{", "is not JSON at line 1"),
        ('{"films": [', "is not JSON"),
        ('{"films": [{"PutRequest": {"Item": {"PK": {"S": "a"', "is not JSON at line 1, column"),
        ('{"films": [] } trailing', "is not JSON"),
        ("[]", "is not an object"),
        ('"films"', "is not an object"),
        ("{}", "holds no items"),
        ('{"films": []}', "holds no items"),
        ('{"films": {}}', "holds no list"),
        ('{"films": "x"}', "holds no list"),
        ('{"films": [1]}', "Item 1"),
        ('{"films": [[]]}', "Item 1"),
        ('{"films": [{}]}', "Item 1"),
        ('{"films": [{"DeleteRequest": {"Key": {}}}]}', "Item 1"),
        ('{"films": [{"PutRequest": {"Item": {}}, "More": 1}]}', "Item 1"),
        ('{"films": [{"PutRequest": {"Item": []}}]}', "Item 1"),
        ('{"films": [{"PutRequest": []}]}', "Item 1"),
    ],
)
def test_a_file_of_another_form_is_named_with_its_problem(path, content, expected):
    path.write_text(content)
    assert expected in problem(path)


@pytest.mark.parametrize("content", [b"\xff\xfe{}", b'{"films": [{"PutRequest": {"Item": {"PK": {"S": "\xff"}}}}]}', b"\x00"])
def test_a_file_that_is_no_text_is_refused(path, content):
    path.write_bytes(content)
    assert "is not JSON" in problem(path)


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path):
    assert "cannot be read" in problem(tmp_path)


def test_the_place_of_a_typing_mistake_is_given_by_line_and_column(path):
    path.write_text('{"films": [\n  {"PutRequest": {"Item": {}}},\n  {"PutRequest": oops}\n]}')
    with pytest.raises(UsageError, match="line 3, column 18"):
        validate(path, TABLE, {})


def test_a_file_for_another_table_is_refused_by_both_names(path):
    assert "'other', not 'films'" in problem(written(path, put(), table="other"))


def test_a_second_table_in_the_file_is_refused(path):
    path.write_text(json.dumps({TABLE: [put()], "other": [put("b")]}))
    assert "'other'" in problem(path)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"S": 1}, "'S'"),
        ({"N": 1}, "'N'"),
        ({"N": "one"}, "not a number"),
        ({"N": "NaN"}, "not a number"),
        ({"N": "Infinity"}, "not a number"),
        ({"N": "1" * 39}, "38 digits"),
        ({"N": "1_000"}, "not a number"),
        ({"N": " 1"}, "not a number"),
        ({"N": "\u0661"}, "not a number"),
        ({"N": ""}, "not a number"),
        ({"N": "1E+126"}, "between"),
        ({"N": "1E-131"}, "between"),
        ({"B": "not base64!"}, "base64"),
        ({"B": "ü"}, "base64"),
        ({"BOOL": "true"}, "'BOOL'"),
        ({"NULL": False}, "'NULL'"),
        ({"L": {}}, "'L'"),
        ({"M": []}, "'M'"),
        ({"SS": []}, "'SS'"),
        ({"SS": ["a", "a"]}, "equal entries"),
        ({"NS": ["1", "1.0"]}, "equal entries"),
        ({"NS": [1]}, "'NS'"),
        ({"X": "a"}, "'X'"),
        ({}, "no single typed value"),
        ({"S": "a", "N": "1"}, "no single typed value"),
        ("plain", "no single typed value"),
        (None, "no single typed value"),
    ],
)
def test_a_wrong_value_is_named_with_item_and_attribute(path, value, expected):
    what = problem(written(path, put("a"), put("b", Year=value)))
    assert "Item 2" in what and "Year" in what and expected in what


def test_a_wrong_value_deep_inside_is_named_by_its_path(path):
    what = problem(written(path, put(Cast={"M": {"lead": {"L": [{"S": "x"}, {"N": "x"}]}}})))
    assert "Cast.lead[1]" in what


@pytest.mark.parametrize("content", ['{"films": [{"PutRequest": {"Item": {"%s": 1}}}]}', '{"%s": []}'])
def test_names_of_the_file_are_shown_shortened_and_without_control_characters(path, content):
    path.write_text(content.replace("%s", "\\u001b[2J" + "x" * 5000))
    what = problem(path)
    assert what.isprintable() and r"\x1b[2J" in what and len(what) < 1000


@pytest.mark.parametrize("depth", [33, 400, 100_000])
def test_values_nested_deeper_than_dynamodb_takes_are_refused(path, depth):
    deep = '{"L": [' * depth + '{"S": "x"}' + "]}" * depth
    path.write_text('{"films": [{"PutRequest": {"Item": {"PK": {"S": "a"}, "SK": {"S": "1"}, "Deep": %s}}}]}' % deep)  # noqa: UP031
    assert "32 levels" in problem(path)


def test_values_nested_as_deep_as_dynamodb_takes_are_read(path):
    deep = '{"L": [' * 31 + '{"S": "x"}' + "]}" * 31
    path.write_text('{"films": [{"PutRequest": {"Item": {"PK": {"S": "a"}, "SK": {"S": "1"}, "Deep": %s}}}]}' % deep)  # noqa: UP031
    assert validate(path, TABLE, KEYS) == 1


def test_a_nest_that_never_ends_is_no_crash(path):
    path.write_text('{"films": [' + '{"a": [' * 100_000)
    assert str(path) in problem(path)


def test_an_absurd_number_is_no_crash(path):
    path.write_text('{"films": [{"PutRequest": {"Item": {"PK": {"S": %s}}}}]}' % ("9" * 6000))
    assert str(path) in problem(path)


@pytest.mark.parametrize("more", ['"SK": {"S": "\\ud800"}', '"SK": {"S": "1"}, "\\ud800": {"BOOL": true}'])
def test_half_a_character_is_refused(path, more):
    path.write_text('{"films": [{"PutRequest": {"Item": {"PK": {"S": "a"}, %s}}}]}' % more)  # noqa: UP031
    assert "Item 1" in problem(path) and "half of a character" in problem(path)


def test_an_item_of_400_kilobytes_is_the_largest(path):
    fixed = len("PK") + 1 + len("SK") + 1 + len("Text")
    assert validate(written(path, put(Text={"S": "x" * (400 * 1024 - fixed)})), TABLE, KEYS) == 1
    what = problem(written(path, put(), put("b", Text={"S": "x" * (400 * 1024 - fixed + 1)})))
    assert "Item 2" in what and "409,601 bytes" in what


def test_a_file_of_more_than_16_megabytes_is_refused(path):
    path.write_bytes(b'{"films": [{"PutRequest": {"Item": {"PK": {"S": "' + b"x" * 20_000_000)
    assert "is larger than 16 MB" in problem(path)
    path.write_text(json.dumps({TABLE: [put()]}) + " " * 16_000_000)
    assert "is larger than 16 MB" in problem(path)


def test_many_items_may_be_longer_together_than_one(path):
    assert validate(written(path, *(put(str(n), text={"S": "x" * 300_000}) for n in range(40))), TABLE, KEYS) == 40


def test_two_items_with_one_key_are_named_with_both_places(path):
    what = problem(written(path, put("a", "1"), put("a", "2"), put("a", "1", Title={"S": "again"})))
    assert "Item 3" in what and "item 1" in what and "PK=a, SK=1" in what


def test_equal_numbers_in_other_forms_are_one_key(path):
    requests = [{"PutRequest": {"Item": {"id": {"N": text}}}} for text in ("1", "1.0")]
    assert "same key" in problem(written(path, *requests), {"id": "N"})
    requests = [{"PutRequest": {"Item": {"id": {"N": text}}}} for text in ("0", "-0")]
    assert "same key" in problem(written(path, *requests), {"id": "N"})


def test_long_numbers_that_differ_in_their_last_digit_are_two_keys(path):
    requests = [{"PutRequest": {"Item": {"id": {"N": "1234567890" * 3 + end}}}} for end in ("1", "2")]
    assert validate(written(path, *requests), TABLE, {"id": "N"}) == 2


def test_without_known_keys_nothing_is_a_duplicate(path):
    assert validate(written(path, put("a"), put("b")), TABLE, {}) == 2


@pytest.mark.parametrize("attributes", [{"SK": {"S": "1"}}, {"PK": {"N": "1"}, "SK": {"S": "1"}}, {"PK": {"NULL": True}}])
def test_an_item_without_its_key_is_named(path, attributes):
    what = problem(written(path, {"PutRequest": {"Item": attributes}}))
    assert "Item 1" in what and "PK of type S" in what


@pytest.mark.parametrize(
    ("pk", "sk", "fits"),
    [
        ("x" * 2048, "x" * 1024, True),
        ("x" * 2049, "x", False),
        ("x", "x" * 1025, False),
        ("", "x", False),
        ("ü" * 1025, "x", False),
    ],
)
def test_keys_have_their_own_limits(path, pk, sk, fits):
    written(path, put(pk, sk))
    if fits:
        assert validate(path, TABLE, KEYS) == 1
    else:
        assert "bytes" in problem(path)


SCALARS = st.one_of(
    st.builds(lambda text: {"S": text}, st.text(max_size=8)),
    st.builds(lambda number: {"N": str(number)}, st.integers(-(10**20), 10**20)),
    st.builds(lambda flag: {"BOOL": flag}, st.booleans()),
    st.just({"NULL": True}),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.builds(lambda values: {"L": values}, st.lists(inner, max_size=3)),
        st.builds(lambda values: {"M": values}, st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    ),
    max_leaves=3,
)
ITEMS = st.dictionaries(st.text(min_size=1, max_size=6), VALUES, max_size=3)
FAST = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FAST
@given(st.lists(ITEMS, min_size=1, max_size=3))
def test_what_is_written_is_what_is_read(path, items):
    requests = [{"PutRequest": {"Item": item}} for item in items]
    assert [dict(item.attributes) for item in read_items(written(path, *requests), TABLE)] == items


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["films", "PutRequest", "Item", "PK", "SK", "S", "N", "B", "M", "L", "SS", "NULL"]), inner, max_size=3
        ),
    ),
    max_leaves=12,
)


@FAST
@given(JSON)
def test_any_json_is_read_or_refused_never_a_crash(path, document):
    path.write_text(json.dumps(document))
    try:
        count = validate(path, TABLE, KEYS)
    except UsageError as error:
        assert str(path) in error.what
    else:
        assert count == len(document[TABLE])


@FAST
@given(st.binary(max_size=60), st.integers(0, 200))
@example(b"", 5)
def test_a_file_that_was_cut_or_overwritten_is_read_or_refused_never_a_crash(path, noise, place):
    whole = json.dumps({TABLE: [put("a"), put("b", Year={"N": "1999"})]}).encode()
    path.write_bytes(whole[:place] + noise + (whole[place + 20 :] if noise else b""))
    try:
        validate(path, TABLE, KEYS)
    except UsageError as error:
        assert str(path) in error.what


@FAST
@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_any_number_is_kept_as_it_is_written_or_refused(path, number):
    written(path, put(N={"N": str(number)}))
    try:
        (item,) = read_items(path, TABLE)
    except UsageError as error:
        assert "digits" in error.what or "between" in error.what
    else:
        assert Decimal(item.attributes["N"]["N"]) == number
