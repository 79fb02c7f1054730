"""The errors of AWS, sorted by what a caller can do about them.

In: botocore's exceptions. Out: `AwsError` with AWS's own code and text, and the sentence a person needs. Codes are shared
by transient and permanent cases, so a caller that must distinguish them matches the text (docs/aws-behaviours.md, section 1.5).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    LoginError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    RefreshWithMFAUnsupportedError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from workshop.aws.http_response import HttpResponse
from workshop.errors import WorkshopError
from workshop.redaction import redact

__all__ = ["AwsError", "CredentialsError", "translate"]

THROTTLING = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottledException",
        "RequestThrottled",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "SlowDown",
        "PriorRequestNotComplete",
        "EC2ThrottledException",
    }
)
"""Codes that mean "later" (docs/aws-behaviours.md, section 10.2). LimitExceededException is not among them: it is a
quota as often as a burst, and the step that meets it knows which."""
TRANSIENT = frozenset(
    {
        "InternalServerError",
        "InternalFailure",
        "InternalError",
        "InternalServiceError",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "ServiceException",
        "RequestTimeout",
        "RequestTimeoutException",
        "TransactionInProgressException",
        "ReplicatedWriteConflictException",
    }
)
"""Codes of server errors, after which the same call may succeed."""
CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "AuthFailure",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "IncompleteSignature",
        "RequestTimeTooSkewed",
    }
)
"""Codes of credentials that AWS does not accept."""
SIGNED_OUT = (
    CredentialRetrievalError,
    LoginError,
    NoAuthTokenError,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
)
"""What botocore raises when a sign-in has ended or cannot be renewed; AWS itself was not asked."""
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"})
"""Codes of missing permissions."""
NOT_ENABLED = frozenset({"UnrecognizedClientException", "InvalidClientTokenId"})
"""Codes of a region that the account has not enabled (docs/aws-behaviours.md, section 8); of bad credentials, too."""
CLOSED = "explicit deny in a service control policy"
"""What AWS writes when an organization forbids the call to everybody in the account (section 8)."""


class AwsError(WorkshopError):
    """One call that AWS refused, or that never reached it (`status` 0)."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        service: str,
        operation: str,
        region: str,
        status: int = 0,
        retry_after: float = 0.0,
    ) -> None:
        self.message, self.service, self.operation, self.region = message, service, operation, region
        self.status, self.retry_after = status, retry_after
        super().__init__(
            what=f"{service} {operation} in {region} failed: {code}",
            why=message,
            fix=_advice(code, operation, region),
            code=code,
        )

    @property
    def throttled(self) -> bool:
        """AWS asks for fewer calls."""
        return self.code in THROTTLING or self.status == 429

    @property
    def transient(self) -> bool:
        """The same call may succeed in a moment: a server error, or a connection that failed."""
        return self.code in TRANSIENT or self.status >= 500 or self.unreachable

    @property
    def unreachable(self) -> bool:
        """No response came: the effect of the call is unknown."""
        return self.code in ("Unreachable", "NoAnswer")

    @property
    def final(self) -> bool:
        """AWS itself refused, and did nothing; without a response of its own (`status` 0) the effect of the call is unknown."""
        return self.status > 0 and not self.transient

    @property
    def denied(self) -> bool:
        """The caller lacks a permission."""
        return self.code in DENIED

    @property
    def not_enabled(self) -> bool:
        """The region may not be enabled in the account: then nothing exists there. Bad credentials look the same."""
        return self.code in NOT_ENABLED

    @property
    def closed(self) -> bool:
        """The account's organization closes the region, or this service in it: nothing of ours is there."""
        return self.denied and self.mentions(CLOSED)

    def mentions(self, text: str) -> bool:
        """Whether the message contains `text`, whatever its case and its quotes."""
        return _plain(text) in _plain(self.message)


class CredentialsError(AwsError):
    """The credentials are missing, expired or refused: nothing else can work, so the whole run stops."""


def translate(
    error: Exception,
    service: str,
    operation: str,
    region: str,
    secrets: Iterable[str] = (),
    received: HttpResponse | None = None,
) -> AwsError:
    """Botocore's exception as ours, without the given secrets; one that is not botocore's is raised again as it is.

    `received` is the HTTP response in which botocore met it. A 5xx is transient whatever its body is: the servers in front of a
    service fail too, and answer with pages of their own.
    """
    at: dict[str, Any] = {"service": service, "operation": _pascal(operation), "region": region}
    if isinstance(error, ClientError):
        return _refusal(error, secrets, received, at)
    if isinstance(error, ResponseParserError) and received is not None and received.failed:
        return _server_error(received, secrets, at)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return CredentialsError("NoCredentials", redact(str(error), secrets), **at)
    if isinstance(error, SIGNED_OUT):
        return CredentialsError("SignedOut", redact(str(error), secrets), **at)
    if isinstance(error, SSLError):
        return AwsError("Certificate", redact(str(error), secrets), **at)
    if isinstance(error, EndpointConnectionError | ConnectTimeoutError | ProxyConnectionError):
        return AwsError("Unreachable", redact(str(error), secrets), **at)
    if isinstance(error, ResponseParserError):
        return AwsError("NotAws", redact(str(error), secrets)[:300], **at)
    if isinstance(error, ReadTimeoutError | ConnectionClosedError | HTTPClientError):
        return AwsError("NoAnswer", redact(str(error), secrets), **at)
    if isinstance(error, BotoCoreError):
        return AwsError(type(error).__name__, redact(str(error), secrets), **at)
    raise error


def _refusal(error: ClientError, secrets: Iterable[str], received: HttpResponse | None, at: dict[str, Any]) -> AwsError:
    """The error that AWS responded with, or what botocore took for one."""
    response: dict[str, Any] = error.response
    detail, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, status = str(detail.get("Code") or "Unknown"), int(meta.get("HTTPStatusCode", 0) or 0)
    if received is not None and received.failed and code in ("Unknown", str(received.status)):
        return _server_error(received, secrets, at)
    kind = CredentialsError if code in CREDENTIALS and status < 500 else AwsError
    wait = meta.get("HTTPHeaders", {}).get("retry-after") or response.get("retryAfterSeconds")
    return kind(code, redact(str(detail.get("Message", "")), secrets), status=status, retry_after=_seconds(wait), **at)


def _server_error(received: HttpResponse, secrets: Iterable[str], at: dict[str, Any]) -> AwsError:
    """A 5xx without an error of AWS in it. Its code is its status, as botocore names those that it can read."""
    text = redact(received.description(), secrets)
    return AwsError(str(received.status), text, status=received.status, retry_after=_seconds(received.retry_after), **at)


def _seconds(header: object) -> float:
    """A wished pause; 0 when it is missing or not a number of seconds."""
    try:
        wished = float(str(header))
    except ValueError:
        return 0.0
    return wished if 0.0 <= wished < math.inf else 0.0


def _advice(code: str, operation: str, region: str) -> str:
    again = "then run the same command again"
    if code == "NoCredentials":
        return "Sign in (aws sso login, aws configure) or name a profile: --profile NAME. Without an account: --target local"
    if code == "SignedOut":
        return f"Sign in again (aws sso login, aws login), {again}: it goes on where it stopped"
    if code in ("Certificate", "NotAws"):
        return f"Something between this machine and AWS answers in its place (a captive portal, a proxy): get past it, {again}"
    if code in ("UnrecognizedClientException", "InvalidClientTokenId"):
        # A disabled opt-in region responds as if the credentials were bad (docs/aws-behaviours.md, section 8).
        return (
            f"Run: aws sts get-caller-identity. If that works, the region {region} is not enabled for this account: "
            "enable it, or choose another with --region"
        )
    if code in ("SignatureDoesNotMatch", "InvalidSignatureException", "RequestTimeTooSkewed"):
        return f"Check the machine's clock (5 minutes off is too much) and the secret key, {again}"
    if code in CREDENTIALS:
        return f"Get fresh credentials, {again}: it goes on where it stopped"
    if code in DENIED:
        return f"Ask for the permission to {operation} in {region} (a service control policy may forbid it too), {again}"
    if code.startswith("5") and code.isdigit():
        return f"The service, or a proxy in front of it, fails: wait a little, {again}"
    if code in ("Unreachable", "NoAnswer"):
        return f"Check the network (for the local cloud: workshop cloud status), {again}"
    return ""


def _plain(text: str) -> str:
    return text.lower().replace("‘", "'").replace("’", "'").replace("`", "'")


def _pascal(operation: str) -> str:
    return "".join(part.capitalize() for part in operation.split("_"))
