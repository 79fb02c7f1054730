"""The CallerReferences of our health checks: `workshop-WORKSHOP-REGION-RUN-N`.

In: names. Out: references of at most 64 characters, and whether one is ours. A check has its reference from its creation on and
for good, where tags come in a call of their own: a check without tags is recognised by it (docs/aws-behaviours.md, section 6.6).
"""

from __future__ import annotations

import hashlib
import re

from workshop.aws.resources.health_checks import MOST_REFERENCE

__all__ = ["is_our_reference", "reference"]

_REGION = r"[a-z]{2}(?:-[a-z]+)+-\d"
MOST_NAME = 20
MOST_RUN = 10
NUMBER = 7
"""The characters of the number: four of the step, so that two steps do not meet, and up to three digits."""


def reference(workshop: str, region: str, run: str, step: str, number: int) -> str:
    """The reference of attempt `number` of a run. It is never used for another check: AWS keeps those of deleted ones."""
    before = f"workshop-{_short(workshop, MOST_NAME)}-{region}-"
    room = MOST_REFERENCE - len(before) - NUMBER - 1
    part = run if len(run) <= room else _digest(run, MOST_RUN)
    return f"{before}{part}-{_digest(step, 4)}{number}"


def is_our_reference(text: str, workshop: str, region: str = "", step: str = "") -> bool:
    """Whether a reference was made for the workshop; for one region and one step of it, if they are given."""
    where = re.escape(region) if region else _REGION
    # What follows the region begins with no other region: that would be a workshop whose name ends in one.
    which = _digest(step, 4) if step else "[0-9a-f]{4}"
    pattern = rf"workshop-{re.escape(_short(workshop, MOST_NAME))}-{where}-(?!{_REGION}-)[a-z0-9-]+-{which}\d{{1,3}}"
    return re.fullmatch(pattern, text) is not None


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 9]}-{_digest(name, 8)}"


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:length]
