"""Who uses a certificate of ACM: custom domains of API Gateway, distributions of CloudFront, custom domains of user pools.

In: MiniStack's stores. Out: the ARNs of the users of a certificate, live (docs/aws-behaviours.md, section 6.7).
"""

from __future__ import annotations

from collections.abc import Iterator

from ministack.services import apigateway_v1, cloudfront, cognito

from workshop.cloud.patches import require_attribute

__all__ = ["check_attributes", "users_of"]


def check_attributes() -> None:
    """Raises `PinnedVersionError` unless every store that is read exists."""
    for module, name in ((apigateway_v1, "_domain_names"), (cloudfront, "_distributions"), (cognito, "_user_pools")):
        require_attribute(module, name)


def users_of(account: str, arn: str) -> list[str]:
    """The ARNs of what uses a certificate of an account."""
    return [*_domains(account, arn), *_distributions(account, arn), *_pools(account, arn)]


def _domains(account: str, arn: str) -> Iterator[str]:
    for (owner, region, name), record in apigateway_v1._domain_names.all_items():
        if owner == account and arn in (record.get("regionalCertificateArn"), record.get("certificateArn")):
            yield f"arn:aws:apigateway:{region}::/domainnames/{name}"


def _distributions(account: str, arn: str) -> Iterator[str]:
    for (owner, _), record in list(cloudfront._distributions.to_dict().items()):
        if owner == account and f">{arn}<" in record.get("config_xml", ""):
            yield str(record["ARN"])


def _pools(account: str, arn: str) -> Iterator[str]:
    for (owner, region, pool), record in cognito._user_pools.all_items():
        if owner == account and (record.get("_custom_domain_config") or {}).get("CertificateArn") == arn:
            yield f"arn:aws:cognito-idp:{region}:{account}:userpool/{pool}"
