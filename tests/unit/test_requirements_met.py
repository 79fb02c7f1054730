"""Which of the package's requirements an installation does not meet, by PEP 508 and PEP 440."""

from __future__ import annotations

import pytest

from workshop.checks.machine import unmet


@pytest.mark.parametrize(
    ("wanted", "version", "found"),
    [
        ("click>=8.2", "8.2.0", []),
        ("click>=8.2", "8.1.9", ["click is 8.1.9, needed is >=8.2"]),
        ("click>=8.2", None, ["click is missing"]),
        ("click~=8.2", "9.0", ["click is 9.0, needed is ~=8.2"]),
        ("click!=8.3", "8.3", ["click is 8.3, needed is !=8.3"]),
        ("click>=8.2", "8.3rc1", []),
        ("click==8.2.*", "8.2.7", []),
    ],
)
def test_a_version_is_compared_as_pip_compares_it(wanted: str, version: str | None, found: list[str]) -> None:
    assert unmet([wanted], [""], lambda _: version) == (1, found)


def test_what_is_for_another_system_or_extra_does_not_count() -> None:
    wanted = ["a; sys_platform == 'plan9'", "b; extra == 'dev'", "c>=1; extra == 'local'"]
    assert unmet(wanted, ["", "local"], lambda _: None) == (1, ["c is missing"])
    assert unmet(wanted, [""], lambda _: None) == (0, [])
