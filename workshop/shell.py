"""The lines that people paste into a shell, built from words: what comes from elsewhere stays one word each and runs nothing.

In: words, of which any may be foreign. Out: lines for bash, zsh and other POSIX shells. Only this module puts shell syntax
around words.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from workshop.quoting import shown

__all__ = [
    "aws",
    "aws_line",
    "captured",
    "command_line",
    "comment",
    "filled",
    "flagged",
    "into",
    "operands",
    "poll",
    "prefixed",
    "repeat",
    "with_captured",
    "word",
]

LONGEST = 4_096
"""Characters of one word in a comment: the longest path of Linux."""
_PAUSE = "sleep 5"
_LONG_PAUSE = "sleep 30"


def command_line(words: Iterable[str]) -> str:
    """The words as one line that a shell splits into exactly them; the first names a program, and is ours."""
    return " ".join(word(each) for each in words)


def comment(words: Iterable[str]) -> str:
    """A remark on one line, its words quoted too: an interactive zsh takes `#` for the name of a command."""
    return f"# {command_line(_visible(each) for each in words)}"


def aws(operation: str, **options: str | Sequence[str] | bool) -> list[str]:
    """The words of an AWS CLI call: `aws("dynamodb delete-table", region=..., table_name=...)`.

    An option that is True has no value; one with several values, or none, is followed by them.
    """
    words = ["aws", *operation.split()]
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, str):
            words += flagged(flag, value)
        elif value is True:
            words.append(flag)
        elif value:
            words += [flag, *value]
    return words


def aws_line(operation: str, **options: str | Sequence[str] | bool) -> str:
    """The same as a line."""
    return command_line(aws(operation, **options))


def flagged(flag: str, value: str) -> list[str]:
    """An option with its value, joined where the value would be taken for an option itself."""
    return [f"{flag}={value}"] if value.startswith("-") else [flag, value]


def operands(*values: str) -> list[str]:
    """Values that belong to no option, kept from being taken for one."""
    return ["--", *values] if any(value.startswith("-") for value in values) else list(values)


def into(words: Iterable[str], file: str) -> str:
    """The line that writes what a command prints into a file."""
    return f"{command_line(words)} > {word(file)}"


def prefixed(before: str, source: str, after: str, file: str) -> str:
    """The line that writes a file: one line of text, which another file continues, and a last line."""
    return f"{{ printf %s {word(before)}; cat {word(source)}; printf '%s\\n' {word(after)}; }} > {word(file)}"


def captured(variable: str, words: Iterable[str]) -> str:
    """The line that keeps what a command prints in a shell variable, whose name is ours, for the lines after it."""
    return f'{variable}="$({command_line(words)})"'


def with_captured(words: Iterable[str], flag: str, variable: str) -> str:
    """The line that runs a command with an option whose value is a variable of an earlier line."""
    return f'{command_line(words)} {flag} "${variable}"'


def filled(words: Iterable[str], flag: str, text: str, variables: Iterable[str]) -> str:
    """The line that runs a command with an option whose value is `text`, with variables of earlier lines at its `%s`."""
    values = " ".join(f'"${variable}"' for variable in variables)
    return f'{command_line(words)} {flag} "$(printf {word(text)} {values})"'


def repeat(words: Iterable[str]) -> str:
    """The line that repeats a command every 30 seconds until it succeeds."""
    return f"until {command_line(words)}; do {_LONG_PAUSE}; done"


def poll(words: Iterable[str], wanted: str, failures: Iterable[str], *, quiet: bool = False) -> str:
    """The line that runs a command every 5 seconds until it prints `wanted`; it fails when that is one of `failures`.

    In a shell of its own, so that the end of the wait does not end the reader's. `quiet` drops its stderr.
    """
    command = f"{command_line(words)} 2>/dev/null" if quiet else command_line(words)
    failed = " | ".join(word(each) for each in failures)
    branches = f'{word(wanted)}) exit 0 ;; {failed}) echo "failed: $state" >&2; exit 1 ;;'
    return f'(while :; do state="$({command})" || :; case "$state" in {branches} esac; {_PAUSE}; done)'


def word(text: str) -> str:
    """One word of a line, quoted where it has to be.

    What a terminal would obey or cannot show is written as bytes in `$'...'`, which bash, zsh and POSIX 2024 understand. NUL is
    left out: no argument of a program can hold it.
    """
    kept = text.replace("\0", "")
    if all(_is_plain(char) for char in kept):
        return f"'{kept}'" if kept.startswith("=") and kept == shlex.quote(kept) else shlex.quote(kept)  # zsh: =ls is a path
    return "$'" + "".join(_escaped(char) for char in kept) + "'"


def _is_plain(char: str) -> bool:
    return shown(char) == char and not "\ud800" <= char <= "\udfff"


def _escaped(char: str) -> str:
    # "!" as well: an interactive shell looks for it before it looks at quotes of this kind.
    if _is_plain(char) and char not in "\\'!":
        return char
    return "".join(f"\\x{byte:02x}" for byte in _bytes(char))


def _bytes(char: str) -> bytes:
    try:
        return char.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return char.encode("utf-8", "surrogatepass")


def _visible(text: str) -> str:
    """A word of a comment as people may see it."""
    return shown(text.encode("utf-8", "backslashreplace").decode(), LONGEST)
