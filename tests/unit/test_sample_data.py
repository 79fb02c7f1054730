"""The sample data is the literal request file of BatchWriteItem, and its library has the shape that pages rely on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "sample-data.json"


@pytest.fixture(scope="module")
def items() -> list[dict]:
    """The items, after making sure that they can be sent in one call as they stand.

    docs/aws-behaviours.md, section 2.
    """
    document = json.loads(FILE.read_text(encoding="utf-8"))
    assert list(document) == ["global-serverless"]
    requests = document["global-serverless"]
    assert len(requests) <= 25
    assert all(list(request) == ["PutRequest"] and list(request["PutRequest"]) == ["Item"] for request in requests)
    return [request["PutRequest"]["Item"] for request in requests]


def library(items: list[dict]) -> list[dict]:
    return [item for item in items if item["PK"] == {"S": "library"}]


def test_there_are_thirteen_items_and_no_key_twice(items):
    assert len(items) == 13
    assert len({(item["PK"]["S"], item["SK"]["S"]) for item in items}) == 13


def test_one_item_is_the_counter_of_the_test_harness(items):
    others = [item for item in items if item not in library(items)]
    assert others == [{"PK": {"S": "user100"}, "SK": {"S": "AshlandValley"}, "Bookmark": {"N": "0"}}]


def test_the_library_holds_twelve_films_whose_attributes_are_all_texts(items):
    films = library(items)
    assert [film["SK"]["S"] for film in films] == [f"{number:02d}" for number in range(1, 13)]
    for film in films:
        assert set(film) == {"PK", "SK", "title", "thumb", "video"}
        assert all(list(value) == ["S"] and value["S"].strip() == value["S"] != "" for value in film.values())


def test_every_film_has_its_own_title(items):
    titles = {film["title"]["S"].casefold() for film in library(items)}
    assert len(titles) == 12


def test_posters_and_clips_are_addressed_relative_to_the_site(items):
    for film in library(items):
        number = film["SK"]["S"]
        assert film["thumb"] == {"S": f"media/posters/{number}.svg"}
        assert film["video"] == {"S": f"media/clips/{number}.webm"}
