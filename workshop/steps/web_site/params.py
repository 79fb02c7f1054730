"""The settings of `web.site`.

In: the `with:` block of a step. Out: where its pages come from, and the bucket and distribution that serve them, if any do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from workshop.steps.base import Params
from workshop.steps.settings import Folder, TemplateFile

__all__ = ["Hosting", "SiteParams"]


@dataclass(frozen=True, slots=True)
class Hosting:
    """What serves a site: a bucket of the home region, and the id and the host of the distribution in front of it. Each is empty
    while the stack that makes them does not exist."""

    bucket: str
    distribution: str
    host: str

    @property
    def exists(self) -> bool:
        """Whether there is something to upload to."""
        return bool(self.bucket and self.distribution and self.host)


class SiteParams(Params):
    """`source` is a folder; `shared` another one, whose files the site gets where `source` has none of that name; `config` a
    template inside `source` that renders to JSON; where that is `provisional`, a later step of the same site may have filled in
    its empty texts. With `bucket`, `distribution` and `host` the site is uploaded; without them it is a folder of this machine.
    """

    source: Annotated[str, Folder()]
    shared: Annotated[str | None, Folder()] = None
    config: Annotated[str, TemplateFile("json", inside="source")] = "config.json.j2"
    provisional: bool = False
    bucket: str | None = None
    distribution: str | None = None
    host: str | None = None

    @property
    def hosting(self) -> Hosting | None:
        """What serves the site; None when it is a folder."""
        if self.bucket is None or self.distribution is None or self.host is None:
            return None
        return Hosting(self.bucket, self.distribution, self.host)

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        given = {name for name in ("bucket", "distribution", "host") if getattr(self, name) is not None}
        if given and len(given) < 3:
            raise PydanticCustomError(
                "hosting",
                "A site that is uploaded needs bucket, distribution and host",
                {"fix": "Give all three, as outputs of the stack that makes them, or none."},
            )
        return self
