"""Which names are AWS services at all, asked of file names instead of file contents.

What comes in: a name from a signature. What goes out: whether AWS has such a service. MiniStack reads every model of botocore to
answer that: seconds during which nothing else is answered, and 400 MB, at the first call of a service that it does not offer.
"""

from __future__ import annotations

import functools
from typing import Any

import botocore.session

from workshop.cloud.patches import replace_point

__all__ = ["know_services_by_name"]


def know_services_by_name(router: Any) -> None:
    """Put a quick answer in the place of MiniStack's."""
    replace_point(router, "_is_aws_service_name", lambda _: _is_service)


def _is_service(name: str) -> bool:
    return name in _names()


@functools.cache
def _names() -> frozenset[str]:
    """The services by the names of their models, and by those under which endpoints and signatures know them."""
    session = botocore.session.Session()
    names = set(session.get_available_services())
    for partition in session.get_data("endpoints")["partitions"]:
        for name, service in partition["services"].items():
            names.add(name)
            scopes = (service.get("defaults", {}), *service.get("endpoints", {}).values())
            names.update(scope["credentialScope"]["service"] for scope in scopes if "service" in scope.get("credentialScope", {}))
    return frozenset(names)
