"""From `--param` and `--region` to the settings of a run."""

from __future__ import annotations

import pytest

from tests.unit.definition_builders import steps, workshop
from workshop.definition.parameters import resolve, still_valid
from workshop.errors import DefinitionError, UsageError

CHECK = "{id: check, kind: http.check, in: home, with: {url: x}}"


@pytest.fixture
def films(tmp_path):
    return workshop(tmp_path, steps(CHECK))


def test_nothing_given_means_the_definitions_values(films):
    settings = resolve(films, {}, [])
    assert dict(settings.parameters) == {"table": "films"}
    assert settings.regions == ("us-west-2", "eu-west-1")
    assert settings.home == "us-west-2"


def test_given_values_and_regions_win(films):
    settings = resolve(films, {"table": "other"}, ["eu-west-1", "ap-south-1", "us-gov-west-1"])
    assert settings.parameters["table"] == "other"
    assert settings.home == "eu-west-1"
    assert settings.regions == ("eu-west-1", "ap-south-1", "us-gov-west-1")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tabel": "x"}, "It has: table. Did you mean 'table'"),
        ({"zzz": "x"}, "no parameter 'zzz'"),
        ({"table": "UPPER"}, "must match"),
        ({"table": "films\n"}, "must match"),
        ({"table": "a" * 300}, "too long"),
        ({"table": ""}, "must match"),
    ],
)
def test_a_parameter_that_does_not_fit_is_a_usage_error(films, given, said):
    with pytest.raises(UsageError, match=said) as caught:
        resolve(films, given, [])
    assert caught.value.exit_code == 2
    assert caught.value.fix


def test_a_pattern_that_other_engines_never_finish_is_matched(tmp_path):
    hostile = steps(CHECK).replace("pattern: '[a-z]{3,9}'", "pattern: '(a+)+|films'")
    with pytest.raises(UsageError, match="must match"):
        resolve(workshop(tmp_path, hostile), {"table": "a" * 200 + "!"}, [])


@pytest.mark.parametrize("pattern", ["(?=f)films", r"(films)\1"])
def test_a_pattern_of_the_kind_that_back_tracks_is_no_pattern(tmp_path, pattern):
    with pytest.raises(DefinitionError, match=r"not a regular expression.*not supported"):
        workshop(tmp_path, steps(CHECK).replace("[a-z]{3,9}", pattern))


@pytest.mark.parametrize(
    ("regions", "said"),
    [
        (["oregon"], "'oregon' is not the name of a region"),
        (["us-west-2", "us-west-2"], "named twice"),
        (["us-west-2 "], "not the name"),
        (["US-WEST-2"], "not the name"),
    ],
)
def test_a_region_that_does_not_fit_is_a_usage_error(films, regions, said):
    with pytest.raises(UsageError, match=said):
        resolve(films, {}, regions)


def test_replicas_need_a_second_region(tmp_path):
    found = workshop(tmp_path, steps(CHECK.replace("in: home", "in: replicas")))
    with pytest.raises(UsageError, match=r"at least two regions.*--region eu-west-1 --region us-west-2"):
        resolve(found, {}, ["eu-west-1"])
    assert resolve(found, {}, ["eu-west-1", "us-east-1"]).regions == ("eu-west-1", "us-east-1")


def test_one_region_is_enough_without_replicas(films):
    assert resolve(films, {}, ["eu-west-1"]).regions == ("eu-west-1",)


def test_of_what_an_earlier_run_was_given_only_what_still_fits_is_kept(films):
    assert still_valid(films, {"table": "other", "who": "ana"}) == ({"table": "other"}, ["who"])
    assert still_valid(films, {"table": "UPPER"}) == ({}, ["table"])
    assert still_valid(films, {}) == ({}, [])
