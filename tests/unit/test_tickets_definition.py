"""The definition of wild-rydes: sound with every choice, what each switches on, and where its steps run."""

from __future__ import annotations

from typing import Any

import pytest

from workshop.definition.conditions import places
from workshop.definition.derived import plan_variables
from workshop.definition.dry_render import dry_render
from workshop.definition.loader import Workshop, known_kinds, load
from workshop.definition.parameters import resolve
from workshop.definition.requirements import required
from workshop.errors import UsageError

ACCOUNT = "111122223333"
EVENT = {
    "pool_arn": "arn:aws:cognito-idp:us-east-1:444455556666:userpool/us-east-1_Event1234",
    "client_id": "abcdef",
    "signin_host": "event.auth.us-east-1.amazoncognito.com",
}


@pytest.fixture(scope="module")
def rydes() -> Workshop:
    return load("wild-rydes")


def off(rydes: Workshop, target: str, **given: str) -> set[str]:
    """The steps that are switched off."""
    settings = resolve(rydes, given, ())
    return set(places(rydes.definition, plan_variables(rydes.definition, settings, target, ACCOUNT)).off)


@pytest.mark.parametrize("target", ["local", "aws"])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"domain": "event.example.com", "authorizer": "function"},
        {"idp": "oidc", "idp_issuer": "https://idp.example.com", "idp_client": "c"},
        EVENT,
    ],
    ids=["as it is", "domain and function", "provider", "pool of an event"],
)
def test_it_is_sound_with_every_choice(rydes: Workshop, target: str, given: dict[str, str]) -> None:
    assert dry_render(rydes, resolve(rydes, given, ()), known_kinds(), target) == []


ARN = EVENT["pool_arn"]
ISSUER = "https://idp.example.com"


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, []),
        ({"idp": "none", "idp_client": "c"}, []),
        (EVENT, []),
        ({**EVENT, "idp": "google"}, []),
        ({"pool_arn": ARN}, ["client_id", "signin_host"]),
        ({"pool_arn": ARN, "client_id": "abc"}, ["signin_host"]),
        ({"client_id": "abc"}, ["pool_arn", "signin_host"]),
        ({"signin_host": EVENT["signin_host"]}, ["pool_arn", "client_id"]),
        ({"idp": "google"}, ["idp_client", "idp_secret"]),
        ({"idp": "facebook", "idp_client": "c"}, ["idp_secret"]),
        ({"idp": "oidc"}, ["idp_client", "idp_secret", "idp_issuer"]),
        ({"idp": "oidc", "idp_issuer": ISSUER, "idp_client": "c"}, ["idp_secret"]),
        ({"idp": "saml"}, ["idp_issuer"]),
        ({"idp": "saml", "idp_issuer": ISSUER}, []),
    ],
)
@pytest.mark.parametrize("target", ["local", "aws"])
def test_parameters_that_belong_together_are_asked_for_together(
    rydes: Workshop, target: str, given: dict[str, str], missing: list[str]
) -> None:
    settings = resolve(rydes, given, ())
    found = required(rydes, settings, plan_variables(rydes.definition, settings, target, ACCOUNT))
    assert [name for name, error in found.items() if error] == missing
    for error in filter(None, found.values()):
        assert error.why and all(name in error.what for name in missing)
        assert all(f"--param {name}=VALUE" in error.fix for name in missing if name != "idp_secret")
        assert ("WORKSHOP_SECRET_IDP_SECRET" in error.fix) == ("idp_secret" in missing)


def test_the_modules_are_those_of_the_original(rydes: Workshop) -> None:
    assert rydes.definition.module_names() == ("api", "ui", "second-region", "failover")
    assert rydes.definition.regions == ("eu-west-1", "ap-southeast-1")


@pytest.mark.parametrize(
    ("target", "given", "expected"),
    [
        ("local", {}, {"verifier"}),
        ("local", {"authorizer": "function"}, set()),
        ("local", EVENT, {"identity", "user", "verifier"}),
        ("aws", {"domain": "event.example.com"}, {"user", "verifier"}),
        ("aws", {}, {"user", "verifier", "delegation", "edge", "call"}),
    ],
    ids=["local", "function", "pool of an event", "domain", "no domain"],
)
def test_what_is_switched_off(rydes: Workshop, target: str, given: dict[str, str], expected: set[str]) -> None:
    assert off(rydes, target, **given) == expected


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
def test_sign_in_runs_in_the_region_that_is_named_for_it_and_in_no_other(rydes: Workshop, region: str) -> None:
    settings = resolve(rydes, {"identity_region": region}, ())
    where = places(rydes.definition, plan_variables(rydes.definition, settings, "local", ACCOUNT))
    for name in ("identity", "user"):
        assert tuple(where.of(rydes.definition.step(name))) == (region,)
    assert region not in settings.regions


@pytest.mark.parametrize(
    "wrong",
    [
        {"idp": "twitter"},
        {"idp_issuer": "http://idp.example.com"},
        {"idp_issuer": "https://idp.example.com' }"},
        {"idp_client": "it's"},
        {"pool_arn": "arn:aws:iam::111122223333:role/x"},
        {"signin_prefix": "Upper"},
        {"home_label": "a.b"},
        {"table": "t" * 65},
        {"idp_secret": "s3cr3t-word"},
    ],
    ids=lambda wrong: next(iter(wrong.items()))[0],
)
def test_a_value_that_could_break_a_template_or_an_address_is_refused(rydes: Workshop, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        resolve(rydes, wrong, ())
