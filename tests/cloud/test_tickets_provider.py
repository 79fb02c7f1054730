"""Sign-in of wild-rydes with an identity provider: its secret reaches the user pool and nothing that is shown or kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cloud.shell import Shell
from tests.cloud.test_secrets import written

pytestmark = pytest.mark.cloud
SECRET = "s3cr3t-of-the-identity-provider"
GIVEN = {"WORKSHOP_SECRET_IDP_SECRET": SECRET}
IDP = ("--param", "idp=oidc", "--param", "idp_issuer=https://idp.example.com", "--param", "idp_client=client-7")
WHERE = ("--workshop", "wild-rydes", *IDP)
PLACE = "eu-central-1"


@pytest.fixture(scope="module")
def signed(shell: Shell) -> Shell:
    """A shell where the stacks of hosting and sign-in are deployed."""
    for step in ("hosting", "identity"):
        shell.run("step", "run", step, *WHERE, "--yes", env=GIVEN)
    return shell


def provider(shell: Shell) -> dict[str, Any]:
    cognito = shell.client("cognito-idp", PLACE)
    (pool,) = cognito.list_user_pools(MaxResults=10)["UserPools"]
    (client,) = cognito.list_user_pool_clients(UserPoolId=pool["Id"], MaxResults=10)["UserPoolClients"]
    found = cognito.describe_user_pool_client(UserPoolId=pool["Id"], ClientId=client["ClientId"])["UserPoolClient"]
    assert found["SupportedIdentityProviders"] == ["Oidc"], "the pool's own users are no way in"
    return dict(cognito.describe_identity_provider(UserPoolId=pool["Id"], ProviderName="Oidc")["IdentityProvider"])


def test_the_pool_leads_to_the_provider_with_the_secret(signed: Shell) -> None:
    details = provider(signed)["ProviderDetails"]
    assert (details["client_id"], details["client_secret"], details["oidc_issuer"]) == (
        "client-7",
        SECRET,
        "https://idp.example.com",
    )


def test_the_secret_is_in_nothing_that_is_shown_or_kept(signed: Shell) -> None:
    words = (["setup", "--plan", "--json"], ["step", "show", "identity", "--json"], ["explain", "identity"], ["status", "--json"])
    seen = [signed.run(*each, *WHERE, env=GIVEN) for each in words]
    identity = next(step for step in seen[3].document["steps"] if step["id"] == "identity")
    assert identity["state"] == "ready", "a value that AWS does not return is not taken for a changed one"
    events = signed.client("cloudformation", PLACE).describe_stacks(StackName="wild-rydes-identity")
    assert SECRET not in json.dumps(events, default=str)
    assert SECRET not in "".join(result.out + result.err for result in seen) and SECRET not in written(signed)


def test_the_secret_is_not_taken_from_the_command_line(signed: Shell) -> None:
    refused = signed.run("setup", *WHERE, "--param", f"idp_secret={SECRET}", code=2)
    assert "is not taken from --param" in refused.err and SECRET not in refused.err


def test_a_later_setup_without_the_secret_names_its_variable_and_changes_nothing(signed: Shell) -> None:
    cloudformation = signed.client("cloudformation", PLACE)
    before = cloudformation.describe_stack_events(StackName="wild-rydes-identity")["StackEvents"]
    for words in (
        ["setup", "--param", "signup=true"],
        ["setup", "--plan"],
        ["step", "run", "identity", "--param", "signup=true"],
    ):
        refused = signed.run(*words, "--workshop", "wild-rydes", code=2)
        assert "The parameter idp_secret is missing." in refused.err
        assert "read -rs WORKSHOP_SECRET_IDP_SECRET && export WORKSHOP_SECRET_IDP_SECRET" in refused.err
    assert cloudformation.describe_stack_events(StackName="wild-rydes-identity")["StackEvents"] == before
    seen = signed.run("status", "--json", "--workshop", "wild-rydes")
    assert next(step for step in seen.document["steps"] if step["id"] == "identity")["state"] == "ready"


def test_a_check_compares_the_client_of_a_given_pool_with_the_pages_that_are_deployed(signed: Shell) -> None:
    cognito = signed.client("cognito-idp", PLACE)
    (pool,) = cognito.list_user_pools(MaxResults=10)["UserPools"]
    (client,) = cognito.list_user_pool_clients(UserPoolId=pool["Id"], MaxResults=10)["UserPoolClients"]
    found = cognito.describe_user_pool_client(UserPoolId=pool["Id"], ClientId=client["ClientId"])["UserPoolClient"]
    arn = cognito.describe_user_pool(UserPoolId=pool["Id"])["UserPool"]["Arn"]
    given = [f"pool_arn={arn}", f"client_id={client['ClientId']}", "signin_host=tickets.auth.eu-central-1.amazoncognito.com"]
    words = [word for each in given for word in ("--param", each)]
    document = signed.document("check", "--workshop", "wild-rydes", "--only", "signin", *words)
    (check,) = (each for each in document["checks"] if each["id"].startswith("signin.client"))
    assert (check["status"], found["CallbackURLs"][0] in check["detail"]) == ("pass", True)
    assert f"the sign-out address {found['LogoutURLs'][0]}" in check["detail"]


def test_a_teardown_needs_no_secret_and_leaves_no_provider_behind(signed: Shell) -> None:
    removed = signed.document("teardown", *WHERE, "--yes")
    assert removed["leftovers"] == [] and SECRET not in written(signed)
    assert signed.client("cognito-idp", PLACE).list_user_pools(MaxResults=10)["UserPools"] == []
