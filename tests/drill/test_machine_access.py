"""Which user pool, endpoint and scopes a drill takes, and which pools it refuses before anything is made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.drill.regions import HERE
from tests.drill.signed_in_regions import IDENTITY, POOL, SCOPES, SignedInRegions, SignedInSandbox
from workshop.app.machine_access import access_by
from workshop.aws.target import Target
from workshop.drill.commands import Commands
from workshop.drill.deployment import Deployment
from workshop.drill.machine_client import MachineAccess
from workshop.drill.tokens import TokenEndpoint
from workshop.errors import UsageError, WorkshopError

HOST = f"films.auth.{IDENTITY}"
SIGNIN = {
    "pool": f"arn:aws:cognito-idp:{IDENTITY}:{HERE.account}:userpool/{POOL}",
    "token_url": f"https://{HOST}.amazoncognito.com/oauth2/token",
    "scope": "openid email films/read",
}
AWS = Target("aws", Path("/nonexistent"))
LOCAL = Target("local", Path("/nonexistent"), endpoint="http://127.0.0.1:4566", gateway="127.0.0.1:4566")
OPTIONS = Commands(("--workshop", "films"))


async def deployed(folder: Path, *scopes: str) -> Deployment:
    found = SignedInSandbox(folder, SignedInRegions()).deployment
    return replace(found, regional=tuple(replace(each, scopes=scopes) for each in found.regional))


async def test_the_scopes_are_those_that_the_api_names_for_the_routes_of_the_load(tmp_path: Path) -> None:
    access = access_by(SIGNIN, await deployed(tmp_path, *SCOPES), AWS, HERE.account, OPTIONS)
    assert access == MachineAccess(IDENTITY, POOL, TokenEndpoint(SIGNIN["token_url"]), SCOPES)


async def test_an_api_that_names_none_leaves_those_of_a_resource_server_that_the_pages_ask_for(tmp_path: Path) -> None:
    assert access_by(SIGNIN, await deployed(tmp_path), AWS, HERE.account, OPTIONS).scopes == ("films/read",)
    with pytest.raises(UsageError) as caught:
        access_by({**SIGNIN, "scope": "openid email"}, await deployed(tmp_path), AWS, HERE.account, OPTIONS)
    assert "no scope" in caught.value.what
    assert "`scope` of the definition's `signin:`" in caught.value.fix


async def test_the_local_clouds_token_endpoint_is_reached_by_its_own_address_under_its_own_name(tmp_path: Path) -> None:
    signin = {**SIGNIN, "token_url": f"http://{HOST}.localhost:4566/oauth2/token"}
    access = access_by(signin, await deployed(tmp_path, *SCOPES), LOCAL, HERE.account, OPTIONS)
    assert access.endpoint == TokenEndpoint("http://127.0.0.1:4566/oauth2/token", f"{HOST}.localhost:4566")


async def test_a_pool_of_another_account_is_refused_with_what_works_all_the_same(tmp_path: Path) -> None:
    foreign = {**SIGNIN, "pool": SIGNIN["pool"].replace(HERE.account, "999988887777")}
    with pytest.raises(UsageError) as caught:
        access_by(foreign, await deployed(tmp_path, *SCOPES), AWS, HERE.account, OPTIONS)
    assert caught.value.what == f"The user pool {POOL} belongs to another account (999988887777)."
    assert "user pool of its own" in caught.value.fix
    assert "workshop drill fail --workshop films" in caught.value.fix


async def test_a_workshop_that_is_not_set_up_has_no_pool_yet(tmp_path: Path) -> None:
    with pytest.raises(WorkshopError) as caught:
        access_by({}, await deployed(tmp_path), AWS, HERE.account, OPTIONS)
    assert caught.value.code == "NoPool"
    assert caught.value.fix == "Bring the workshop to ready: workshop setup --workshop films"
