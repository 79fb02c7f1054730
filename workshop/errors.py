"""The errors that users see: what happened, why, and the command to run next.

Raised where a problem is understood, printed in one place (`workshop.cli`). Any other exception is a defect. A subclass exists
where a caller does something else about it; the number is the exit code:

    WorkshopError                 1   a failure that is understood
    ├── UsageError                2   wrong usage, definition or data: nothing was changed
    │   └── DefinitionError       2   in a file of the definition, with its line and field
    │       └── MissingOutputError  2   a template reads an output that does not exist yet
    ├── PartlyDoneError           5   something is left, and named
    ├── AwsError                  1   a refusal of AWS, with its code
    │   └── CredentialsError      1   no call of this account can work: its nodes end
    ├── DnsError                  1   no name server responded
    ├── UnwritableError           1   a disk is full or read-only: what only looks or removes goes on without a record
    ├── WaitTimeout               1   a condition did not come true in time
    ├── ContestedError            1   a claim that cannot be read, so nothing is known of its holder
    └── PinnedVersionError        1   the local cloud does not fit the version of its emulator

In: what happened. Out: an exception, and its document for `--json`.
"""

from __future__ import annotations

import enum

from workshop.quoting import visible
from workshop.redaction import redact

__all__ = ["DefinitionError", "ExitCode", "PartlyDoneError", "UsageError", "WorkshopError"]


class ExitCode(enum.IntEnum):
    """The exit code of the process."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NO_GO = 3
    WARNINGS = 4
    PARTLY = 5
    INTERRUPTED = 130


class WorkshopError(Exception):
    """A failure that is understood. `code` is a stable name for machines: the AWS error code, or one of ours.

    Whatever the texts were made from, no key, token or signature stays in them, and nothing that a terminal obeys.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, what: str, why: str = "", fix: str = "", *, code: str = "") -> None:
        what, why, fix = (visible(redact(text)) for text in (what, why, fix))
        super().__init__(what)
        self.what, self.why, self.fix, self.code = what, why, fix, visible(code) or type(self).__name__

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.why, self.fix) if part)

    def document(self) -> dict[str, str]:
        """The error as `--json` documents and the journal have it."""
        return {"what": self.what, "why": self.why, "fix": self.fix, "code": self.code}


class UsageError(WorkshopError):
    """Wrong usage, definition or data: nothing was created, nothing was changed."""

    exit_code = ExitCode.USAGE


class DefinitionError(UsageError):
    """A `workshop.yaml` or a file it names is wrong; `where` is `file:line`, `field` the dotted path inside."""

    def __init__(self, what: str, why: str = "", fix: str = "", *, where: str = "", field: str = "", code: str = "") -> None:
        place = ": ".join(part for part in (where, field) if part)
        super().__init__(f"{place}: {what}" if place else what, why, fix, code=code)
        self.where, self.field, self.problem = visible(where), visible(field), visible(redact(what))


class PartlyDoneError(WorkshopError):
    """The command did part of its work, and names what is left."""

    exit_code = ExitCode.PARTLY
