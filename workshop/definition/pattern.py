"""The patterns of parameters: regular expressions that a definition brings along, from wherever it came.

In: a pattern and a value. Out: whether the whole value matches. Matching takes time in proportion to the value, whatever the
pattern: there is no back-tracking, hence neither look-around nor references back. `Patience` bounds preparing
all patterns of one definition.
"""

from __future__ import annotations

import time

from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema

__all__ = ["Patience", "fits"]

MOST_SECONDS = 2.0
"""Of the processor, for all patterns of one definition together. An ordinary pattern takes less than a thousandth of a second."""


class Patience:
    """Bounds the work for all patterns of one definition: at most `MOST_SECONDS`, and the pattern that exceeds them."""

    def __init__(self) -> None:
        self._spent = 0.0

    @property
    def is_over(self) -> bool:
        return self._spent > MOST_SECONDS

    def fits(self, pattern: str, value: str) -> bool:
        """`fits`, with its time added up."""
        start = time.thread_time()
        try:
            return fits(pattern, value)
        finally:
            self._spent += time.thread_time() - start


def fits(pattern: str, value: str) -> bool:
    """Whether `pattern` matches the whole `value`; raises `ValueError` with the reason when it is no regular expression."""
    _compiled(pattern)  # by itself first: a bracket too many must not close the group below
    try:
        _compiled(rf"\A(?:{pattern})\z").validate_python(value)
    except ValidationError:
        return False
    return True


def _compiled(pattern: str) -> SchemaValidator:
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
    except SchemaError as error:
        last = str(error).strip().splitlines()[-1].strip()
        raise ValueError(last.removeprefix("error: ").removeprefix("SchemaError: ").rstrip(".")) from error
