"""The variables that follow from a definition, its parameters and the place where it is deployed, before anything exists.

In: a definition, the settings of a run, the target and the account. Out: variables of templates. Names of domains are lower case,
without a dot at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workshop.definition.filters import ORIGIN
from workshop.definition.model import Definition
from workshop.definition.parameters import Settings
from workshop.definition.variables import TemplateVariables

__all__ = ["delegated", "plan_variables", "template_variables", "zone_name"]

DOMAIN, ZONE = "domain", "zone"
"""The parameters that the name of the zone follows from, where a definition has them."""


def plan_variables(
    definition: Definition, settings: Settings, target: str, account: str, origin: Callable[[str], str] = "https://{}".format
) -> dict[str, Any]:
    """The parameters and everything else that is known before the first step: what decides which steps run, and where.

    `origin` turns a host into the address that browsers find it at.
    """
    return {
        **settings.parameters,
        **dict.fromkeys((name for name, spec in definition.parameters.items() if spec.secret), ""),
        **settings.secrets,
        "workshop": definition.name,
        "title": definition.title,
        "target": target,
        "account": account,
        "home": settings.home,
        "regions": list(settings.regions),
        "zone_name": zone_name(definition.name, settings.parameters, target, account),
        "delegated": delegated(settings.parameters, target),
        ORIGIN: origin,
    }


def template_variables(plan: Mapping[str, Any], region: str, made: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The variables of a step's templates: those of its plan, its region, and what the steps before it made (`OUTPUT_NAMES`)."""
    own: dict[str, Any] = {name: plan[name] for name in TemplateVariables.of_plan()}
    return TemplateVariables(**{**own, **made, "region": region}).with_parameters(plan)


def zone_name(workshop: str, parameters: Mapping[str, str], target: str, account: str) -> str:
    """The DNS zone of a workshop: the domain that it was given; else on the local cloud a name below `.localhost`, which
    browsers resolve by themselves; else a name below `example.net`, which is delegated to no one and clear of all others."""
    if domain := _name(parameters.get(DOMAIN, "")):
        return domain
    if target == "local":
        return f"{_name(parameters.get(ZONE, '')) or workshop.rpartition('-')[2]}.localhost"
    return f"{workshop}-{account}.example.net"


def delegated(parameters: Mapping[str, str], target: str) -> bool:
    """Whether resolvers find the zone: always on the local cloud, on AWS where there is a domain."""
    return target == "local" or bool(_name(parameters.get(DOMAIN, "")))


def _name(text: str) -> str:
    return text.strip().rstrip(".").lower()
