"""The errors of AWS, sorted by what can be done about them."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from tests.unit.fakes.botocore_session import client_error
from workshop.aws.errors import AwsError, CredentialsError, translate


def translated(error: Exception) -> AwsError:
    return translate(error, "dynamodb", "update_table", "eu-west-1")


@pytest.mark.parametrize("code", ["Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"])
def test_throttling_has_many_names(code):
    assert translated(client_error(code)).throttled


def test_an_unnamed_429_is_throttling_too():
    assert translated(client_error("Unknown", status=429)).throttled


def test_a_quota_is_not_throttling():
    error = translated(client_error("LimitExceededException"))
    assert not error.throttled and not error.transient


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_errors_pass(status):
    error = translated(client_error("Anything", status=status))
    assert error.transient and not error.unreachable


@pytest.mark.parametrize(
    "error",
    [
        ConnectTimeoutError(endpoint_url="https://x"),
        EndpointConnectionError(endpoint_url="https://x"),
        ProxyConnectionError(proxy_url="http://proxy"),
        ReadTimeoutError(endpoint_url="https://x"),
        ConnectionClosedError(endpoint_url="https://x"),
    ],
)
def test_no_answer_leaves_the_effect_unknown_and_may_pass(error):
    found = translated(error)
    assert found.unreachable and found.transient and found.status == 0 and "network" in found.fix


@pytest.mark.parametrize(
    "error",
    [SSLError(endpoint_url="https://x", error="bad certificate"), ResponseParserError("Unable to parse response, invalid XML")],
)
def test_a_server_that_is_in_the_place_of_aws_is_not_tried_again(error):
    found = translated(error)
    assert not found.transient and "captive portal" in found.fix


@pytest.mark.parametrize(
    "error",
    [
        NoCredentialsError(),
        PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        UnauthorizedSSOTokenError(),
        TokenRetrievalError(provider="sso", error_msg="expired"),
        client_error("ExpiredToken"),
        client_error("UnrecognizedClientException"),
        client_error("InvalidClientTokenId"),
        client_error("RequestTimeTooSkewed"),
        CredentialRetrievalError(provider="process", error_msg="exit 1"),
    ],
)
def test_credentials_that_do_not_work_are_distinguished_with_advice(error):
    found = translated(error)
    assert isinstance(found, CredentialsError) and not found.throttled
    assert found.fix


def test_a_wrong_parameter_is_no_matter_of_credentials():
    found = translated(ParamValidationError(report='Unknown parameter in input: "NextToken"'))
    assert not isinstance(found, CredentialsError)


def test_a_disabled_region_looks_like_bad_credentials_and_the_advice_names_both():
    assert "eu-west-1 is not enabled" in translated(client_error("UnrecognizedClientException")).fix


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"])
def test_a_denial_names_the_permission_and_the_region(code):
    error = translated(client_error(code, "User is not authorized"))
    assert error.denied and "UpdateTable" in error.fix and "eu-west-1" in error.fix


def test_texts_are_compared_whatever_their_case_and_quotes():
    error = translated(client_error("ValidationException", "Replica of table ‘Films’ Acted As A Source Region"))
    assert error.mentions("acted as a source region") and error.mentions("'films'") and not error.mentions("actors")


def test_the_error_names_what_failed_and_why():
    error = translated(client_error("ValidationException", "One or more parameter values were invalid"))
    assert error.what == "dynamodb UpdateTable in eu-west-1 failed: ValidationException"
    assert error.why == "One or more parameter values were invalid"
    assert error.document()["code"] == "ValidationException"


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("0.5", 0.5), ("soon", 0.0), ("-3", 0.0), ("", 0.0)])
def test_the_wished_pause_is_read_when_it_is_a_number(header, seconds):
    assert translated(client_error("Throttling", **{"retry-after": header})).retry_after == seconds


def test_an_exception_that_is_not_botocores_is_raised_as_it_is():
    with pytest.raises(KeyError):
        translated(KeyError("Table"))


@pytest.mark.parametrize(
    ("code", "status", "final"),
    [("AccessDenied", 400, True), ("ServiceUnavailable", 503, False), ("Unreachable", 0, False), ("NotAws", 0, False)],
)
def test_only_a_response_of_aws_itself_means_that_nothing_was_made(code, status, final):
    error = AwsError(code, "", service="cloudformation", operation="CreateStack", region="us-west-2", status=status)
    assert error.final is final
