"""Which tokens the APIs of wild-rydes take, in both regions, whether the gateway or a function verifies them.

The stacks are the workshop's own. Forged tokens are signed with the keys of the pool itself where the signature is not what is
forged, so that nothing else can be the reason of a refusal.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.cloud_room.conftest import Cloud, eventually
from workshop.definition.files import DefinitionFiles

FOLDER = Path(__file__).parents[2] / "templates" / "wild-rydes"
HOME, FAR, IDENTITY = "eu-west-1", "ap-southeast-1", "eu-central-1"
WAYS = ["pool", pytest.param("function", marks=pytest.mark.skipif(not shutil.which("node"), reason="needs node"))]
VARIABLES: dict[str, Any] = {
    "_origin": "https://{}".format,
    "account": "000000000000",
    "home": HOME,
    "table": "tickets",
    "signup": "false",
    "idp": "none",
    "pool_arn": "",
    "signin_prefix": "",
}
MEMBERS = {
    "token_use": "access",
    "client_id": "pages",
    "username": "ana",
    "sub": "s-1",
    "scope": "openid tickets/read tickets/write",
}


@dataclass
class Deployed:
    """A pool in a region of its own and, for each way to verify tokens, an API in each region."""

    cloud: Cloud
    pool: str
    key: rsa.RSAPrivateKey
    kid: str
    apis: dict[tuple[str, str], str]

    @property
    def issuer(self) -> str:
        return f"https://cognito-idp.{IDENTITY}.amazonaws.com/{self.pool}"

    def claims(self, **more: Any) -> dict[str, Any]:
        now = int(time.time())
        return {**MEMBERS, "iss": self.issuer, "iat": now - 5, "exp": now + 600, **more}

    def token(self, **more: Any) -> str:
        """A token that the pool could have issued, with other claims where they are given."""
        return signed(self.claims(**more), self.key, kid=self.kid)

    def asked(self, way: str, token: str, *, method: str = "GET", path: str = "ticket") -> list[tuple[int, str]]:
        """The status in each region, and who may read it."""
        headers = {"Authorization": token} if token else {}
        body = b"{}" if method == "POST" else None
        found = []
        for region in (HOME, FAR):
            address = f"/_aws/execute-api/{self.apis[way, region]}/prod/{path}"
            status, sent, _ = self.cloud.http(address, method=method, headers=headers, body=body)
            found.append((status, sent.get("access-control-allow-origin", "")))
        return found

    def statuses(self, way: str, token: str, **how: str) -> set[int]:
        return {status for status, _ in self.asked(way, token, **how)}


def encoded(document: Any) -> str:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def signed(claims: dict[str, Any], key: rsa.RSAPrivateKey, **header: str) -> str:
    text = f"{encoded({'alg': 'RS256', **header})}.{encoded(claims)}"
    return f"{text}.{encoded(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def with_key(claims: dict[str, Any], secret: bytes, **header: str) -> str:
    text = f"{encoded({'alg': 'HS256', **header})}.{encoded(claims)}"
    return f"{text}.{encoded(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def stack(cloud: Cloud, region: str, name: str, template: str, **variables: Any) -> dict[str, str]:
    """Deploy one of the workshop's templates; returns its outputs."""
    text = DefinitionFiles(FOLDER).render(f"{template}.yaml.j2", {**VARIABLES, "region": region, **variables})
    client = cloud.client("cloudformation", region)
    client.create_stack(StackName=name, TemplateBody=text, Capabilities=["CAPABILITY_IAM"])
    eventually(lambda: not shown(client, name)["StackStatus"].endswith("_IN_PROGRESS"), 60)
    assert shown(client, name)["StackStatus"] == "CREATE_COMPLETE"
    return {each["OutputKey"]: each["OutputValue"] for each in shown(client, name)["Outputs"]}


def shown(client: Any, name: str) -> dict[str, Any]:
    return dict(client.describe_stacks(StackName=name)["Stacks"][0])


def table(cloud: Cloud, region: str) -> None:
    index = [{"AttributeName": "all", "KeyType": "HASH"}, {"AttributeName": "createdOn", "KeyType": "RANGE"}]
    cloud.client("dynamodb", region).create_table(
        TableName="tickets",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "all", "createdOn")],
        GlobalSecondaryIndexes=[{"IndexName": "newest", "KeySchema": index, "Projection": {"ProjectionType": "ALL"}}],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture(scope="module")
def deployed(shared: Cloud) -> Iterator[Deployed]:
    steps: dict[str, Any] = {"hosting": {"DistributionHost": "d111.cloudfront.net"}}
    steps["identity"] = stack(shared, IDENTITY, "identity", "identity", stack="pages", steps=steps)
    pool = steps["identity"]["PoolId"]
    apis = {}
    for region in (HOME, FAR):
        table(shared, region)
        for way in ("pool", "function") if shutil.which("node") else ("pool",):
            if way == "function":
                stack(shared, region, "verifier", "verifier", stack="function", steps=steps)
            made = stack(shared, region, way, "api", stack=way, authorizer=way, steps=steps)
            apis[way, region] = made["ApiId"]
    machine(shared, pool, "tickets/read")  # its token makes the pool have its keys
    (file,) = shared.home.rglob(f"{pool}-access.pem")
    key = serialization.load_pem_private_key(file.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    keys = json.loads(shared.http(f"/{pool}/.well-known/jwks.json")[2])["keys"]
    modulus = key.public_key().public_numbers().n
    (kid,) = (each["kid"] for each in keys if int.from_bytes(base64.urlsafe_b64decode(each["n"] + "=="), "big") == modulus)
    yield Deployed(shared, pool, key, kid, apis)


def machine(cloud: Cloud, pool: str, *scopes: str) -> str:
    """A token that a client of its own gets from a pool."""
    client = cloud.client("cognito-idp", IDENTITY).create_user_pool_client(
        UserPoolId=pool,
        ClientName="machine",
        GenerateSecret=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthScopes=list(scopes),
    )["UserPoolClient"]
    form = {"grant_type": "client_credentials", "client_id": client["ClientId"], "client_secret": client["ClientSecret"]}
    status, _, body = cloud.http(
        "/oauth2/token",
        method="POST",
        body=urlencode(form).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert status == 200
    return f"Bearer {json.loads(body)['access_token']}"


def tampered(deployed: Deployed) -> str:
    head, payload, mac = deployed.token().split(".")
    forged = json.loads(base64.urlsafe_b64decode(payload + "==")) | {"username": "mallory"}
    return f"{head}.{encoded(forged)}.{mac}"


def by_public_key(deployed: Deployed) -> str:
    """Signed by HMAC with what everyone knows: the public key, as those who verify may have it in memory."""
    public = deployed.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return with_key(deployed.claims(), public, kid=deployed.kid)


def of_another_key(deployed: Deployed) -> str:
    return signed(deployed.claims(), rsa.generate_private_key(public_exponent=65537, key_size=2048), kid=deployed.kid)


FORGED: dict[str, Callable[[Deployed], str]] = {
    "nothing": lambda _: "",
    "no token": lambda _: "Bearer x",
    "an ID token": lambda d: d.token(token_use="id", scope=None, aud="pages"),
    "tampered": tampered,
    "alg none": lambda d: f"{encoded({'alg': 'none', 'kid': d.kid})}.{encoded(d.claims())}.",
    "alg none with a signature": lambda d: f"{encoded({'alg': 'none', 'kid': d.kid})}.{encoded(d.claims())}.AAAA",
    "another algorithm named": lambda d: signed(d.claims(), d.key, kid=d.kid, alg="RS512"),
    "HS256 named": lambda d: signed(d.claims(), d.key, kid=d.kid, alg="HS256"),
    "HS256 by the public key": by_public_key,
    "another key": of_another_key,
    "a key that does not exist": lambda d: signed(d.claims(), d.key, kid="made-up"),
    "no key named": lambda d: signed(d.claims(), d.key),
    "expired": lambda d: d.token(exp=int(time.time()) - 1),
    "not valid yet": lambda d: d.token(nbf=int(time.time()) + 300),
    "another issuer": lambda d: d.token(iss=f"https://cognito-idp.{IDENTITY}.amazonaws.com/{IDENTITY}_Other1234"),
    "a foreign issuer": lambda d: d.token(iss="https://idp.example.com"),
    "without the scope": lambda d: d.token(scope="openid email tickets/write"),
    "a longer scope": lambda d: d.token(scope="tickets/readers other/tickets/read"),
    "no object": lambda d: f"{encoded([1])}.{encoded([2])}.{encoded(b'x')}",
}


@pytest.mark.parametrize("way", WAYS)
def test_an_access_token_of_the_pool_is_taken_in_both_regions(deployed: Deployed, way: str) -> None:
    assert deployed.statuses(way, f"Bearer {deployed.token()}") == deployed.statuses(way, deployed.token()) == {200}
    assert deployed.statuses(way, machine(deployed.cloud, deployed.pool, "tickets/read")) == {200}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused_in_both_regions_and_the_page_can_read_it(deployed: Deployed, way: str, name: str) -> None:
    token = FORGED[name](deployed)
    sent = token if not token or token.startswith("Bearer ") else f"Bearer {token}"
    assert deployed.asked(way, sent) == [(401, "https://d111.cloudfront.net")] * 2


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
@pytest.mark.parametrize("claims", [{"token_use": "id"}, {"client_id": None}, {"exp": None}, {"exp": "soon"}, {"scope": None}])
def test_the_function_takes_nothing_that_a_pool_would_not_issue_as_an_access_token(deployed: Deployed, claims: Any) -> None:
    assert deployed.statuses("function", f"Bearer {deployed.token(**claims)}") == {401}


@pytest.mark.parametrize("way", WAYS)
def test_every_method_asks_for_its_own_scope(deployed: Deployed, way: str) -> None:
    reading, writing = deployed.token(scope="tickets/read"), deployed.token(scope="tickets/write")
    assert deployed.statuses(way, reading) == {200} and deployed.statuses(way, reading, method="POST") == {401}
    assert deployed.statuses(way, writing) == {401}
    assert deployed.statuses(way, writing, method="POST") == {400}, "the ticket is empty, its sender is not refused"
    assert deployed.statuses(way, reading, path="ticket/none") == {404} and deployed.statuses(way, "", path="ticket/none") == {
        401
    }
    assert deployed.statuses(way, "", path="health") == {200}


@pytest.mark.parametrize("way", WAYS)
def test_a_token_of_another_pool_or_of_a_client_without_the_scope_is_refused(deployed: Deployed, way: str) -> None:
    """Both are real: a REST authorizer checks no audience, so the scopes stand in for it."""
    cognito = deployed.cloud.client("cognito-idp", IDENTITY)
    other = cognito.create_user_pool(PoolName="other")["UserPool"]["Id"]
    scopes = [{"ScopeName": name, "ScopeDescription": name} for name in ("read", "write")]
    cognito.create_resource_server(UserPoolId=other, Identifier="tickets", Name="tickets", Scopes=scopes)
    assert deployed.statuses(way, machine(deployed.cloud, other, "tickets/read", "tickets/write")) == {401}
    assert deployed.statuses(way, machine(deployed.cloud, deployed.pool, "tickets/write")) == {401}


@pytest.mark.parametrize("way", WAYS)
def test_many_tokens_at_once_get_each_its_own_decision(deployed: Deployed, way: str) -> None:
    """A decision that was kept for another token would let one of them in."""
    good, bad = deployed.token(), deployed.token(scope="openid")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda token: deployed.statuses(way, token), [good, bad] * 4))
    assert found == [{200}, {401}] * 4
