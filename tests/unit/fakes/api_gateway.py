"""Custom domains, routes and stages of API Gateway, as far as a proof of the wiring reads them: values that a test fills."""

from __future__ import annotations

from typing import Any

from workshop.aws.errors import AwsError

__all__ = ["FakeGateway"]


class FakeGateway:
    """What there is of these, by region."""

    def __init__(self) -> None:
        self.domains: dict[tuple[str, str], tuple[str, dict[str, tuple[str, str]]]] = {}
        """By region and name: the regional name, and API and stage by base path."""
        self.apis: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
        """By region and id: stages, and paths whose GET has an integration."""

    def get_domain_names(self, region: str, limit: int, position: str = "") -> dict[str, Any]:
        names = sorted(name for where, name in self.domains if where == region and name > position)
        items = [
            {"domainName": name, "regionalDomainName": self.domains[region, name][0], "regionalHostedZoneId": f"Z{region}"}
            for name in names[:1]
        ]
        return {"items": items, **({"position": names[0]} if len(names) > 1 else {})}

    def get_base_path_mappings(self, region: str, domainName: str, limit: int) -> dict[str, Any]:
        _, mappings = self.domains[region, domainName]
        return {
            "items": [{"basePath": base or "(none)", "restApiId": api, "stage": stage} for base, (api, stage) in mappings.items()]
        }

    def get_resources(self, region: str, restApiId: str, embed: list[str], limit: int) -> dict[str, Any]:
        _, routes = self._api(region, restApiId)
        method = {"GET": {"methodIntegration": {"uri": "arn"}}}
        return {"items": [{"id": path, "path": path, "resourceMethods": method} for path in sorted(routes)]}

    def get_stages(self, region: str, restApiId: str) -> dict[str, Any]:
        stages, _ = self._api(region, restApiId)
        return {"item": [{"stageName": stage} for stage in sorted(stages)]}

    def _api(self, region: str, api: str) -> tuple[set[str], set[str]]:
        if (region, api) not in self.apis:
            text = "Invalid API identifier specified"
            raise AwsError("NotFoundException", text, service="apigateway", operation="GetResources", region=region, status=404)
        return self.apis[region, api]
