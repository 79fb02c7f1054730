"""The form of the `signin:` block: the user pool that signs people in, its client, and where the sign-in comes back to.

In: the plain values of the block. Out: a `SigninSpec`, whose texts are templates of the variables of a global step.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from workshop.definition.form import Located

__all__ = ["SigninSpec"]

Text = Annotated[str, Field(min_length=1, max_length=2000)]


class SigninSpec(Located):
    """Where people sign in."""

    pool: Text = Field(description="The ARN of the user pool; its region and the issuer of its tokens follow from it.")
    client: Text = Field(description="The id of the pool's client that the pages are.")
    host: Text = Field(description="The host of the pool's own pages, as AWS calls it: PREFIX.auth.REGION.amazoncognito.com")
    redirect: Text = Field(description="The address of the page that a sign-in comes back to.")
    signed_out: str = Field(
        default="", max_length=2000, description="The address of the page that signing out comes back to, for checks."
    )
    scope: Text = Field(default="openid", description="What the pages ask for: scopes with spaces between them.")
    user: str = Field(default="", description="The cognito.user step that makes a user, on the local cloud alone.")
