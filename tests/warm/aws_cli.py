"""The AWS CLI, imported for the process that its commands are forked from.

It has an origin of its own: its import changes where botocore finds the models of services, and what `import` finds.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

import awscli.clidriver
import awscli.handlers

__all__ = ["command"]

DATA = {"AWS_DATA_PATH": os.environ["AWS_DATA_PATH"]}
"""What the import of the AWS CLI adds to the environment."""


def command(argument: str, _: Sequence[int]) -> int:
    """As the installed script runs it."""
    order = json.loads(argument)
    sys.argv = [order["program"], *order["words"]]
    os.environ.update(DATA)
    return awscli.clidriver.main()
