"""Hosts of their own: the sign-in pages of user pools and the distributions, of every account."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.cloud_room.conftest import Cloud, eventually, refused

OTHER = "123456789012"
CALLBACK = "http://localhost:3000/signed-in"
PASSWORD = "Correct-Horse-9"
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


class Pool:
    """A user pool with a domain, one client of a page and one user."""

    def __init__(self, cloud: Cloud, prefix: str, region: str = "eu-central-1", account: str = "000000000000") -> None:
        self.cloud, self.host = cloud, f"{prefix}.auth.{region}.localhost"
        self.cognito = cloud.client("cognito-idp", region, account)
        self.id = self.cognito.create_user_pool(PoolName=prefix)["UserPool"]["Id"]
        self.cognito.create_user_pool_domain(Domain=prefix, UserPoolId=self.id)
        made = self.cognito.create_user_pool_client(
            UserPoolId=self.id,
            ClientName="page",
            AllowedOAuthFlows=["code"],
            AllowedOAuthScopes=["openid"],
            AllowedOAuthFlowsUserPoolClient=True,
            CallbackURLs=[CALLBACK],
            SupportedIdentityProviders=["COGNITO"],
        )
        self.client = made["UserPoolClient"]["ClientId"]
        self.cognito.admin_create_user(UserPoolId=self.id, Username="ana", MessageAction="SUPPRESS")
        self.cognito.admin_set_user_password(UserPoolId=self.id, Username="ana", Password=PASSWORD, Permanent=True)

    def send(
        self, method: str, path: str, *, host: str = "", headers: dict[str, str] | None = None, form: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        port = int(self.cloud.state.port or 0)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        sent = {"Host": f"{host or self.host}:{port}", **(headers or {})}
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body=urlencode(form) if form is not None else None, headers=sent)
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        finally:
            connection.close()

    def query(self, client: str = "") -> dict[str, str]:
        return {"client_id": client or self.client, "response_type": "code", "scope": "openid", "redirect_uri": CALLBACK}

    def page(self, path: str = "/oauth2/authorize", *, client: str = "", host: str = "") -> tuple[int, bytes]:
        status, _, body = self.send("GET", f"{path}?{urlencode(self.query(client))}", headers=LINK, host=host)
        return status, body

    def sign_in(self, origin: str, *, client: str = "") -> tuple[int, dict[str, str]]:
        form = {**self.query(client), "username": "ana", "password": PASSWORD}
        headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
        status, found, _ = self.send("POST", "/login", headers=headers, form=form)
        return status, found

    @property
    def origin(self) -> str:
        return f"http://{self.host}:{self.cloud.state.port}"


@pytest.fixture(scope="module")
def pools(shared: Cloud) -> tuple[Pool, Pool]:
    """Pools of two accounts."""
    return Pool(shared, "rydes"), Pool(shared, "unicorns", account=OTHER)


def test_a_pool_of_any_account_signs_its_users_in_at_its_own_host(pools: tuple[Pool, Pool]) -> None:
    for pool in pools:
        assert pool.page()[0] == 200
        status, headers = pool.sign_in(pool.origin)
        assert status == 302 and headers["location"].startswith(CALLBACK)
        code = parse_qs(urlsplit(headers["location"]).query)["code"][0]
        form = {"grant_type": "authorization_code", "client_id": pool.client, "code": code, "redirect_uri": CALLBACK}
        page = {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
        status, headers, body = pool.send("POST", "/oauth2/token", headers=page, form=form)
        assert (status, headers["access-control-allow-origin"]) == (200, "*") and json.loads(body)["access_token"]


def test_its_login_page_is_at_login_too(pools: tuple[Pool, Pool]) -> None:
    status, body = pools[0].page("/login")
    assert status == 200 and b"<form" in body


def test_a_host_knows_the_clients_of_its_own_pool_alone(pools: tuple[Pool, Pool]) -> None:
    one, other = pools
    assert one.page(client=other.client)[0] == 400
    assert one.sign_in(one.origin, client=other.client)[0] == 400
    assert one.page(host="127.0.0.1")[0] == one.page(client=other.client, host="127.0.0.1")[0] == 200


def test_a_login_form_is_taken_from_its_own_page_alone(pools: tuple[Pool, Pool]) -> None:
    one, other = pools
    for origin in ("https://evil.example", other.origin, "http://127.0.0.1:3000", "null"):
        assert one.sign_in(origin)[0] == 403


@pytest.mark.parametrize("host", ["nobody.auth.eu-central-1.localhost", "rydes.auth.us-west-2.localhost"])
def test_a_host_of_no_pool_serves_nothing(pools: tuple[Pool, Pool], host: str) -> None:
    for path in ("/oauth2/authorize", "/login", "/"):
        assert pools[0].page(path, host=host)[0] == 403
    assert pools[0].send("GET", "/", host=host)[0] == 403


def test_a_prefix_belongs_to_one_pool_of_a_region_whatever_its_account(pools: tuple[Pool, Pool]) -> None:
    cognito = pools[1].cognito
    again = cognito.create_user_pool(PoolName="again")["UserPool"]["Id"]
    code, message = refused(lambda: cognito.create_user_pool_domain(Domain="rydes", UserPoolId=again))
    assert (code, message) == ("InvalidParameterException", "Domain already associated with another user pool.")


def test_a_host_is_gone_with_its_domain(shared: Cloud) -> None:
    pool = Pool(shared, "short-lived")
    assert pool.page()[0] == 200
    pool.cognito.delete_user_pool_domain(Domain="short-lived", UserPoolId=pool.id)
    assert pool.page()[0] == 403


@pytest.mark.parametrize("account", ["000000000000", OTHER])
def test_a_distribution_of_any_account_is_found_at_its_host(shared: Cloud, account: str) -> None:
    s3, cloudfront = shared.client("s3", account=account), shared.client("cloudfront", account=account)
    bucket = f"site-of-{account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket=bucket, Key="index.html", Body=b"hello from " + account.encode(), ContentType="text/html")
    s3.delete_public_access_block(Bucket=bucket)
    read = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [read]}))
    config: dict[str, Any] = {
        "CallerReference": bucket, "Comment": "", "Enabled": True,
        "Origins": {
            "Quantity": 1,
            "Items": [
                {
                    "Id": "s3", "DomainName": f"{bucket}.s3.us-west-2.amazonaws.com",
                    "S3OriginConfig": {"OriginAccessIdentity": ""},
                }
            ],
        },
        "DefaultCacheBehavior": {
            "TargetOriginId": "s3", "ViewerProtocolPolicy": "allow-all", "MinTTL": 0,
            "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
        },
    }  # fmt: skip
    made = cloudfront.create_distribution(DistributionConfig=config)["Distribution"]
    eventually(lambda: cloudfront.get_distribution(Id=made["Id"])["Distribution"]["Status"] == "Deployed")
    host = made["DomainName"].replace("cloudfront.net", "cloudfront.localhost")
    status, _, body = shared.http("/index.html", headers={"Host": f"{host}:{shared.state.port}", **LINK})
    assert (status, body) == (200, b"hello from " + account.encode())
