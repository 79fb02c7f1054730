"""Names of services that the emulator does not offer."""

from __future__ import annotations

from ministack.core import router

from workshop.cloud.service_models import patch_service_names


def test_services_are_known_by_the_names_that_signatures_carry() -> None:
    patch_service_names(router)
    for name in ("servicequotas", "service-quotas", "dynamodb", "monitoring", "es"):
        assert router._is_aws_service_name(name), name


def test_an_invented_name_is_no_service() -> None:
    patch_service_names(router)
    assert not router._is_aws_service_name("workshopper")
