"""Names that are no service that the emulator offers."""

from __future__ import annotations

from ministack.core import router

from workshop.cloud.services import know_services_by_name


def test_services_are_known_by_the_names_that_signatures_carry() -> None:
    know_services_by_name(router)
    for name in ("servicequotas", "service-quotas", "dynamodb", "monitoring", "es"):
        assert router._is_aws_service_name(name), name


def test_an_invented_name_is_no_service() -> None:
    know_services_by_name(router)
    assert not router._is_aws_service_name("workshopper")
