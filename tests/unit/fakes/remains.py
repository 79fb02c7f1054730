"""Functions, APIs, custom domains, certificates, roles, log groups, as far as a sweep asks: lists that a test fills."""

from __future__ import annotations

from typing import Any

from workshop.aws.errors import AwsError

__all__ = ["FakeRemains"]


class FakeRemains:
    """What stands of these kinds. Regions are keys; IAM has none."""

    def __init__(self) -> None:
        self.functions: dict[tuple[str, str], dict[str, str]] = {}
        """Tags by region and name."""
        self.apis: dict[tuple[str, str], tuple[str, dict[str, str]]] = {}
        """Name and tags by region and id."""
        self.domains: dict[tuple[str, str], dict[str, str]] = {}
        """Tags by region and name."""
        self.roles: dict[str, dict[str, str]] = {}
        self.log_groups: set[tuple[str, str]] = set()
        self.group_tags: dict[str, dict[str, str]] = {}
        """Tags of log groups by ARN."""
        self.certificates: dict[tuple[str, str], tuple[str, str]] = {}
        """Domain name and name of the validation record by region and ARN."""
        self.certificate_tags: dict[str, dict[str, str]] = {}
        """By ARN."""
        self.enabled = ["us-west-2", "eu-west-1", "us-east-1"]
        """The regions of the account."""

    def list_regions(self, region: str, RegionOptStatusContains: list[str]) -> dict[str, Any]:
        return {"Regions": [{"RegionName": name} for name in self.enabled]}

    def list_certificates(self, region: str, Includes: dict[str, Any], NextToken: str = "") -> dict[str, Any]:
        assert "EC_prime256v1" in Includes["keyTypes"], "ACM lists short RSA keys only, unless others are named"
        mine = [
            (arn, name) for (where, arn), (name, _) in sorted(self.certificates.items()) if where == region and arn > NextToken
        ]
        page = {"CertificateSummaryList": [{"CertificateArn": arn, "DomainName": name} for arn, name in mine[:1]]}
        return {**page, "NextToken": mine[0][0]} if len(mine) > 1 else page

    def describe_certificate(self, region: str, CertificateArn: str) -> dict[str, Any]:
        name, record = self.certificates[region, CertificateArn]
        option = {"DomainName": name, "ResourceRecord": {"Name": f"{record}.", "Type": "CNAME", "Value": "x"}}
        return {"Certificate": {"CertificateArn": CertificateArn, "DomainValidationOptions": [option]}}

    def get_function(self, region: str, FunctionName: str) -> dict[str, Any]:
        if (region, FunctionName) not in self.functions:
            raise AwsError(
                "ResourceNotFoundException", "Function not found", service="lambda", operation="GetFunction", region=region,
                status=404,
            )  # fmt: skip
        about = {"FunctionName": FunctionName, "CodeSize": 1_234, "LastModified": "2026-02-01T09:00:00.000+0000"}
        return {"Configuration": about, "Tags": self.functions[region, FunctionName]}

    def delete_function(self, region: str, FunctionName: str) -> dict[str, Any]:
        del self.functions[region, FunctionName]
        return {}

    def tag_resource(self, region: str, **request: Any) -> dict[str, Any]:
        """Lambda's, which names the resource `Resource`, or that of the logs."""
        if "Resource" in request:
            self.functions[region, request["Resource"].rpartition(":")[2]].update(request["Tags"])
        else:
            self.group_tags.setdefault(request["resourceArn"], {}).update(request["tags"])
        return {}

    def list_tags_for_resource(self, region: str, resourceArn: str) -> dict[str, Any]:
        return {"tags": self.group_tags.get(resourceArn, {})}

    def get_rest_apis(self, region: str, position: str = "") -> dict[str, Any]:
        mine = [(i, name, tags) for (where, i), (name, tags) in sorted(self.apis.items()) if where == region and i > position]
        page = {"items": [{"id": i, "name": name, "tags": tags} for i, name, tags in mine[:1]]}
        return {**page, "position": mine[0][0]} if len(mine) > 1 else page

    def get_domain_name(self, region: str, domainName: str) -> dict[str, Any]:
        if (region, domainName) not in self.domains:
            raise AwsError(
                "NotFoundException", "Invalid domain name identifier specified", service="apigateway",
                operation="GetDomainName", region=region, status=404,
            )  # fmt: skip
        return {"domainName": domainName, "domainNameStatus": "AVAILABLE", "tags": self.domains[region, domainName]}

    def list_tags_for_certificate(self, region: str, CertificateArn: str) -> dict[str, Any]:
        return {"Tags": [{"Key": k, "Value": v} for k, v in self.certificate_tags.get(CertificateArn, {}).items()]}

    def list_roles(self, region: str, Marker: str = "") -> dict[str, Any]:
        names = sorted(name for name in self.roles if name > Marker)
        page = {"Roles": [{"RoleName": name} for name in names[:1]]}
        return {**page, "Marker": names[0], "IsTruncated": True} if len(names) > 1 else page

    def list_role_tags(self, region: str, RoleName: str) -> dict[str, Any]:
        return {"Tags": [{"Key": k, "Value": v} for k, v in self.roles[RoleName].items()]}

    def describe_log_groups(self, region: str, logGroupNamePrefix: str, nextToken: str = "") -> dict[str, Any]:
        names = sorted(n for where, n in self.log_groups if where == region and n.startswith(logGroupNamePrefix))
        return {"logGroups": [{"logGroupName": name} for name in names]}

    def delete_log_group(self, region: str, logGroupName: str) -> dict[str, Any]:
        if (region, logGroupName) not in self.log_groups:
            raise AwsError(
                "ResourceNotFoundException", "The specified log group does not exist.", service="logs",
                operation="DeleteLogGroup", region=region, status=400,
            )  # fmt: skip
        self.log_groups.remove((region, logGroupName))
        return {}
