"""A configuration that a later step of the same site completes.

In: the pages that a step wants, the configuration that its site has. Out: the same pages, with what the site has where that is
the wanted one but for values that were empty. So a site can be published before all its addresses are known, by two steps, and
neither takes back in the next setup what the other wrote.
"""

from __future__ import annotations

import json
from typing import Any

from workshop.steps.web_site.pages import CONFIG, Page, configured

__all__ = ["completed"]


def completed(wanted: dict[str, Page], there: str | None) -> dict[str, Page]:
    """`there` is the text of the site's `config.json`; None when it has none."""
    if there is None:
        return wanted
    try:
        later = json.loads(there)
    except (ValueError, RecursionError):
        return wanted
    if not _completes(later, json.loads(wanted[CONFIG].read())):
        return wanted
    return {**wanted, **{name: Page(name, text) for name, text in configured(later).items()}}


def _completes(later: Any, first: Any) -> bool:
    """Whether `later` is `first`, but for texts that were empty in it and members that it did not have."""
    if isinstance(first, dict):
        return isinstance(later, dict) and all(name in later and _completes(later[name], first[name]) for name in first)
    return first in (later, "")
