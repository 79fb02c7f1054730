"""The regions of the commercial partition, which of them an account can use without enabling them first, and where checkers are.

In: nothing. Out: names and addresses.
"""

from __future__ import annotations

__all__ = ["CHECKER_RANGES", "CHECKER_REGIONS", "ENABLED", "OPT_IN"]

ENABLED = frozenset(
    {
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
        "ca-central-1",
        "sa-east-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "eu-central-1",
        "eu-north-1",
        "ap-south-1",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-southeast-1",
        "ap-southeast-2",
    }
)
"""Enabled in every account."""

OPT_IN = frozenset(
    {
        "af-south-1",
        "ap-east-1",
        "ap-east-2",
        "ap-south-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-7",
        "ca-west-1",
        "eu-central-2",
        "eu-south-1",
        "eu-south-2",
        "il-central-1",
        "me-central-1",
        "me-south-1",
        "mx-central-1",
    }
)
"""An account has to enable these first; in the local cloud no account has."""

CHECKER_RANGES = {
    "us-east-1": ("107.23.255.0/26", "54.243.31.192/26"),
    "us-west-1": ("54.183.255.128/26", "54.241.32.64/26"),
    "us-west-2": ("54.244.52.192/26", "54.245.168.0/26"),
    "eu-west-1": ("176.34.159.192/26", "54.228.16.0/26"),
    "ap-southeast-1": ("54.251.31.128/26", "54.255.254.192/26"),
    "ap-southeast-2": ("54.252.254.192/26", "54.252.79.128/26"),
    "ap-northeast-1": ("54.248.220.0/26", "54.250.253.192/26"),
    "sa-east-1": ("177.71.207.128/26", "54.232.40.64/26"),
}
"""Route 53's health checkers: the address ranges of each region (docs/aws-behaviours.md, section 6.3)."""
CHECKER_REGIONS = tuple(CHECKER_RANGES)
