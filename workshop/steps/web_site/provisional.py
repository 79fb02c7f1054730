"""A configuration that a later step of the same site completes.

In: the pages that a step wants, the configuration that its site has. Out: the same pages, with the site's own texts where the
wanted ones are empty. So a site can be published before all its addresses are known, by two steps, and the first never takes an
address back that the second has written.
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
    whole = _merged(json.loads(wanted[CONFIG].read()), later)
    return {**wanted, **{name: Page(name, text) for name, text in configured(whole).items()}}


def _merged(first: Any, later: Any) -> Any:
    """`first`, with what `later` has where `first` has an empty text, or no member of that name."""
    if isinstance(first, dict) and isinstance(later, dict):
        return {
            **{name: later[name] for name in later if name not in first},
            **{name: _merged(first[name], later.get(name)) for name in first},
        }
    return later if first == "" and isinstance(later, str) else first
