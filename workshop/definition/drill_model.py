"""The form of the `drill:` block: the load of a drill, described by data.

In: the plain values of the block. Out: a `LoadSpec`, whose texts are templates. They see the variables of the plan, `region`
(the region whose API is called; home where a name is called), `n` (the number of the write), `value` (the second in which it was
first sent: a text to be stored), `run` (the drill's own id) and `id` (what the `id` of the write rendered to). The `id` itself
may read `response`, the JSON that the write returned: for an API that chooses the id, which then is not known to the write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from workshop.definition.form import Form, Located

__all__ = ["HealthSpec", "LoadSpec", "ReadSpec", "RowsSpec", "TargetsSpec", "WriteSpec"]

LONGEST_PATH = 1000
Path = Annotated[str, Field(max_length=LONGEST_PATH, description="The path below the API's address; relative.")]
Token = Annotated[
    Literal["", "machine"],
    Field(description="Whose access token is sent: `machine` is that of a client of the drill's own in the pool of `signin:`."),
]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class WriteSpec(Form):
    """The request that stores one item."""

    method: Literal["POST", "PUT", "PATCH", "GET"] = "POST"
    path: Path = ""
    body: Mapping[str, Any] = Field(default_factory=dict, max_length=100, description="The JSON that is sent.")
    token: Token = ""
    id: str = Field(
        min_length=1,
        description="The item's id: of `n` and `run` where the caller chooses it, or a member of `response` where the API does.",
    )


class ReadSpec(Form):
    """The request that reads one item back."""

    method: Literal["GET", "POST"] = "GET"
    path: Path
    token: Token = ""
    value: str = Field(
        default="", description="The member of both responses that holds {{ value }} (dotted); experiments count in it."
    )


class HealthSpec(Form):
    """The request that returns which region serves."""

    method: Literal["GET"] = "GET"
    path: Path
    region: str = Field(default="region", min_length=1, description="The member of the response that names the region (dotted).")


class RowsSpec(Form):
    """Where the items are, so that a drill can count them in every region and remove its own."""

    table: str = Field(min_length=1, description="The name of the table.")
    key: Mapping[str, str] = Field(
        min_length=1, max_length=2, description="The key of an item, by attribute, the partition key first; its values are texts."
    )
    holds: Mapping[str, str] = Field(
        default_factory=dict, max_length=10, description="What an item holds beside its key, by attribute: it is compared."
    )


class TargetsSpec(Form):
    """What a drill is measured against, in seconds."""

    rto: Seconds = 900.0
    rpo: Seconds = 900.0


class LoadSpec(Located):
    """The load of a drill."""

    name: str = Field(default="", description="The name of `names:` that the load calls; without it, the regions' own addresses.")
    write: WriteSpec
    read: ReadSpec
    health: HealthSpec | None = Field(default=None, description="How the region that serves is asked for.")
    rows: RowsSpec
    targets: TargetsSpec = Field(default_factory=TargetsSpec)
